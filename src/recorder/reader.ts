import type {Format} from '../formats/format.ts';
import type {Matcher} from '../grammar/matcher.ts';
import type {Meaning, Unneeded} from '../timeline/event.ts';
import type {RequestReader} from './request-facts.ts';
import {RequestLedger} from './requests.ts';

/** Finds lines of some kind, and reads the facts of one that it has just found. */
export interface RequestLines {
  readonly matcher: Matcher;
  /** By message number of the matcher. */
  readonly isRequest: Uint8Array;
  readonly facts: RequestReader;
}

/** A format made ready for the scan. */
export class Reader {
  readonly format: Format;
  readonly matcher: Matcher;
  /** Of its format among all. */
  readonly number: number;
  /** Stands for this reader in an answer of the vocabulary. */
  readonly bit: number;
  /** By message number; undefined for request lines. */
  readonly meanings: readonly (Meaning | Unneeded | undefined)[];
  /** By message number, as events are named by it: {@link LogEvent.message}. */
  readonly names: readonly string[];
  /** Null where there are no request lines, or none that can be told to a process. */
  readonly requests: RequestLines | null;
  /** The request lines alone: what the scan looks for before anything else. */
  readonly usual: RequestLines | null;
  readonly ledger: RequestLedger | null;
  /** Lines of the current input that are this format's. */
  lines = 0;

  /** `requestMatcher` finds the request lines by itself; `factsOf` makes what reads them, or null. */
  constructor(
    format: Format,
    matcher: Matcher,
    requestMatcher: Matcher,
    number: number,
    factsOf: (matcher: Matcher) => RequestReader | null,
  ) {
    this.number = number;
    this.bit = 1 << number;
    this.format = format;
    this.matcher = matcher;
    this.meanings = matcher.messages.map((name) =>
      format.requests.includes(name) ? undefined : (format.meanings[name] ?? 'noise'),
    );
    this.names = matcher.messages.map((name) => `${format.id}/${name}`);
    const requestsBy = (by: Matcher): RequestLines | null => {
      const facts = factsOf(by);
      const isRequest = Uint8Array.from(by.messages, (name) => (format.requests.includes(name) ? 1 : 0));
      return facts === null ? null : {matcher: by, isRequest, facts};
    };
    this.requests = requestsBy(matcher);
    this.usual = requestMatcher === matcher ? this.requests : requestsBy(requestMatcher);
    this.ledger = this.requests === null ? null : new RequestLedger();
  }

  bind(buffer: Buffer): void {
    this.matcher.bind(buffer);
    this.requests?.facts.bind(buffer);
    this.usual?.matcher.bind(buffer);
    this.usual?.facts.bind(buffer);
    this.ledger?.bind(buffer);
  }
}

/** Too ordinary to be believed in the middle of a line: "machine: x", "key = value". */
export function isWeak(meaning: Meaning | Unneeded | undefined): boolean {
  return meaning === 'noise' || (typeof meaning === 'object' && meaning.kind === 'setting');
}
