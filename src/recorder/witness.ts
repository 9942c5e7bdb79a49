import type {CurrentInput} from './current-input.ts';
import type {Reader} from './reader.ts';

/** Where a text was found. */
export interface Place {
  /** `line` is the line that is being read. */
  readonly input: CurrentInput;
  /** See `LogEvent.stream`. */
  readonly stream: string | null;
  /** Of the envelopes around it, outermost first. */
  readonly names: readonly string[];
}

/** A message that was matched at `at` in the bytes that all readers are bound to. */
export interface Taken {
  readonly reader: Reader;
  readonly readers: readonly Reader[];
  readonly at: number;
}

/** Is told what each line was read as: why a log was read the way it was. Reading with a witness is slower. */
export interface Witness {
  took(place: Place, taken: Taken): void;
  /** Nobody knows this text, which stands inside these envelopes. The bytes are overwritten after the call. */
  missed(place: Place, text: Buffer, looksKnown: boolean): void;
}
