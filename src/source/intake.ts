import {TextDecoder} from 'node:util';
import {type Encoding, encodingOf, whyNoLog} from './content.ts';
import {InputError} from './input-error.ts';
import type {InputFile} from './input-file.ts';
import type {LineFeed} from './line-feed.ts';

/** The content is none of a log, whatever the name says. */
export class NoLogError extends InputError {
  /** Without the name. */
  readonly why: string;

  constructor(file: string, why: string) {
    super(file, why);
    this.why = why;
  }
}

/** Takes the unpacked bytes of one input and gives them to the feed, as UTF-8 where they are UTF-16. */
export class Intake {
  private readonly feed: LineFeed;
  private readonly decoder: TextDecoder | null;

  /** `head`: the first bytes. Throws {@link NoLogError} where they tell that this is no log. */
  constructor(head: Uint8Array, file: InputFile, feed: LineFeed) {
    const why = whyNoLog(head, file.kind === 'stdin' ? null : file.name);
    if (why !== null) throw new NoLogError(file.name, why);
    const encoding: Encoding = encodingOf(head);
    this.feed = feed;
    this.decoder = encoding === 'bytes' ? null : new TextDecoder(encoding);
  }

  /** Bytes may be read into the feed's buffer directly. */
  get isStraight(): boolean {
    return this.decoder === null;
  }

  add(bytes: Uint8Array): void {
    if (this.decoder === null) this.feed.append(bytes);
    else this.feed.append(Buffer.from(this.decoder.decode(bytes, {stream: true}), 'utf8'));
  }

  finish(): void {
    if (this.decoder !== null) this.feed.append(Buffer.from(this.decoder.decode(), 'utf8'));
    this.feed.finish();
  }
}
