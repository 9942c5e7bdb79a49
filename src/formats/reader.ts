import type {Matcher} from '../grammar/matcher.ts';
import type {Meaning, Unneeded} from '../timeline/event.ts';
import type {Format} from './format.ts';
import type {RequestReader} from './request-facts.ts';
import {RequestLedger} from './requests.ts';

/** A format made ready for the scan. */
export class Reader {
  readonly format: Format;
  readonly matcher: Matcher;
  /** Stands for this reader in an answer of the vocabulary. */
  readonly bit: number;
  /** By message number; undefined for request lines. */
  readonly meanings: readonly (Meaning | Unneeded | undefined)[];
  /** By message number, as events are named by it: {@link LogEvent.message}. */
  readonly names: readonly string[];
  readonly isRequest: Uint8Array;
  readonly ledger: RequestLedger | null;
  /** Lines of the current input that are this format's. */
  lines = 0;

  /** `requests` reads request lines; null where there are none, or none that can be told to a process. */
  constructor(format: Format, matcher: Matcher, number: number, requests: RequestReader | null) {
    this.bit = 1 << number;
    this.format = format;
    this.matcher = matcher;
    this.meanings = matcher.messages.map((name) =>
      format.requests.includes(name) ? undefined : (format.meanings[name] ?? 'noise'),
    );
    this.names = matcher.messages.map((name) => `${format.id}/${name}`);
    this.isRequest = Uint8Array.from(this.meanings, (meaning) => (meaning === undefined ? 1 : 0));
    this.ledger = requests === null ? null : new RequestLedger(requests);
  }

  bind(buffer: Buffer): void {
    this.matcher.bind(buffer);
    this.ledger?.bind(buffer);
  }
}
