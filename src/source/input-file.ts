/** Something to be read, found behind what was named on the command line. */
export interface InputFile {
  /** How it is opened; `-` is standard input. */
  readonly path: string;
  /** What reports call it. */
  readonly name: string;
  readonly kind: 'stdin' | 'regular' | 'pipe' | 'device';
  /** The directory or the pattern in which it was found; null where it was named itself. */
  readonly foundIn: string | null;
}

/** Something a reader of the report should know about how an input was read, that is no error. */
export interface InputNote {
  readonly input: string;
  readonly text: string;
}
