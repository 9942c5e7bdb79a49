import type {Matcher} from '../grammar/matcher.ts';
import type {Meaning, Unneeded} from '../timeline/event.ts';

/** What one program writes: its grammar, and what each message of it means. */
export interface Format {
  /** The supervisor's name, and the first part of its messages' names. */
  readonly id: string;
  readonly title: string;
  /** The file in grammars/ that `matcher` was compiled from. */
  readonly grammarFile: string;
  readonly matcher: Matcher;
  /** By the message's name. A message without an entry is a request line (see {@link requests}). */
  readonly meanings: Readonly<Record<string, Meaning | Unneeded>>;
  /** Messages that are request lines: folded into counts, never made into events. */
  readonly requests: readonly string[];
  /** The same alone: nothing else is looked for in a line that is one of them. */
  readonly requestMatcher?: Matcher;
  /** Rules that somebody adds to the grammar, and the messages that they stand for. */
  readonly rules?: {readonly text: string; readonly instead: readonly string[]};
  /** Its words are so ordinary that they count only behind an envelope that tells who wrote them. */
  readonly needsOrigin?: true;
  /** Not a supervisor's words but an application's: they alone do not make a log understood. */
  readonly isApplication?: true;
}
