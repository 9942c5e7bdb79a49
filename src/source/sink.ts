/** What is known of an input before its first line. */
export interface InputInfo {
  readonly name: string;
  /** `none`, `gzip`, `zstd`, `xz` or `bzip2`. */
  readonly compression: string;
  /** The lines go on where the input before this one ended: the next part of a rotated log. Absent: they do not. */
  readonly continues?: boolean;
}

/** Takes the lines of inputs, one input after another. */
export interface LineSink {
  open(info: InputInfo): void;
  /**
   * Whole lines: `buffer[start..end)`, each closed by LF. At least `HEADROOM` bytes follow and may be read.
   * The bytes are overwritten after the call. `isContinued` says that the last of these "lines" is a piece of
   * one that is too long to be held at once and goes on.
   */
  lines(buffer: Buffer, start: number, end: number, isContinued: boolean): void;
  /** `bytes` as stored. `truncated`: the input broke off inside its compression, or could not be read to its end. */
  close(summary: {readonly bytes: number; readonly truncated: boolean}): void;
}
