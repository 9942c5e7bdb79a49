/** What is known of an input before its first line. */
export interface InputInfo {
  readonly name: string;
  /** `none`, `gzip`, `zstd`, `xz` or `bzip2`. */
  readonly compression: string;
  /** The lines go on where the input before this one ended: the next part of a rotated log. Absent: they do not. */
  readonly continues?: boolean;
}

/** What a scout has found in a region of lines, in numbers of its own. */
export interface Scouted {
  readonly facts: Float64Array;
  /** How many records are in it. */
  readonly count: number;
}

export const NOTHING_SCOUTED: Scouted = {facts: new Float64Array(0), count: 0};

export interface Scout {
  /** The module that is run on a thread of its own. */
  readonly module: URL;
  /** How many records it may leave for a region of so many bytes. */
  readonly most: (bytes: number) => number;
  /** How many numbers a record has. */
  readonly width: number;
}

/** Takes the lines of inputs, one input after another. */
export interface LineSink {
  /** Who may look at regions of a large file on other threads, ahead of the reading. */
  readonly scout?: Scout | null;
  /** Nothing more can be kept: what follows would be lost. */
  readonly isFull?: boolean;
  open(info: InputInfo): void;
  /**
   * Whole lines: `buffer[start..end)`, each closed by LF. At least `HEADROOM` bytes follow and may be read.
   * The bytes are overwritten after the call. `isContinued` says that the last of these "lines" is a piece of
   * one that is too long to be held at once and goes on. `scouted`: what the scout says of the region.
   */
  lines(buffer: Buffer, start: number, end: number, isContinued: boolean, scouted?: Scouted): void;
  close(summary: InputEnd): void;
}

/** How an input ended. */
export interface InputEnd {
  /** As stored. */
  readonly bytes: number;
  /** The input broke off inside its compression, or could not be read to its end. */
  readonly truncated: boolean;
  /** Its last line where that has no line end: it may go on in the next part of a rotated log. */
  readonly cutLine?: Buffer | null;
}
