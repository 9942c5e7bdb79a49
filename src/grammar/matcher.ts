/**
 * What a grammar becomes: something that recognises messages in bytes.
 *
 * There are two of them with one behaviour: the module that {@link compileGrammar} writes at build
 * time, and the {@link interpret interpreter}, which asks Ohm. Tests hold one against the other.
 */
export interface Matcher {
  /** The grammar's name as declared in its source, for example `Uwsgi`. */
  readonly grammar: string;
  /** Names of the messages in kebab-case; a match is an index into this list. */
  readonly messages: readonly string[];
  /** Names of all captured fields; a field's number is its index here and its place in {@link captures}. */
  readonly fields: readonly string[];
  /** For each message, the numbers of the fields that it may capture, in the order of the rule's text. */
  readonly fieldsOf: readonly (readonly number[])[];
  /**
   * Offsets of what the last successful match captured: field n starts at `captures[2n]` and ends before
   * `captures[2n + 1]`. A start of -1 says that an optional field was not there. Only the fields of the
   * message that matched are meaningful.
   */
  readonly captures: Int32Array;
  /** Signs of which at least one stands in whatever a message matches. Null where some message can do without, so that only matching tells. */
  readonly signs: readonly Sign[] | null;

  /**
   * Reads from `buffer` from now on. Every line in it must be closed by LF, and at least
   * {@link HEADROOM} bytes must follow the last LF.
   */
  bind(buffer: Buffer): void;
  /** The message that is the whole rest of the line from `at` (blanks may follow it), or -1. */
  match(at: number): number;
  /** The message that begins at `at`, whatever follows it in the line, or -1. */
  prefix(at: number): number;
  /**
   * The next offset, from `at` to the end of the line or to `last`, at which a message begins, or -1. Only messages
   * that begin with some fixed text are looked for; {@link inside} tells which it is.
   */
  find(at: number, last?: number): number;
  /** The message that begins at `at`, among those that {@link find} looks for, or -1. */
  inside(at: number): number;
  /** Where the last successful match ended. */
  end(): number;
}

/** A text, a character for each byte; where in it the bytes begin that it is looked up by; and what has to follow it there. */
export type Sign = readonly [text: string, offset: number, ...steps: Step[]];

/**
 * What takes the next bytes of a line, by its first character: `=` one of several texts, the first that is there; `1` one byte of a set,
 * `?` one if it is there, `*` as many as there are, `+` the same, but one at least; `>` everything before one of several texts,
 * or up to the end of the line; `~` everything up to one of several texts, the last step there is. A set is the first and the last byte
 * of each of its runs.
 */
export type Step = `${'=' | '1' | '?' | '*' | '+' | '>' | '~'}${string}`;

/** Stands between the texts of a step: no text holds it. */
export const BETWEEN = '\n';

/** Bytes that must be readable behind the last LF: a matcher may look ahead before it knows where the line ends. */
export const HEADROOM = 32;

/** The number of field `name` in `matcher`. Throws if no message captures such a field: a mistake in the program. */
export function fieldNumber(matcher: Matcher, name: string): number {
  const number = matcher.fields.indexOf(name);
  if (number < 0) throw new Error(`grammar ${matcher.grammar} has no field "${name}"`);
  return number;
}

/** `workerBuried` -> `worker-buried`, `chdir2` -> `chdir2`. */
export function kebabCase(ruleName: string): string {
  return ruleName.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
