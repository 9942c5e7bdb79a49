/** What is known of an input before its first line. */
export interface InputInfo {
  readonly name: string;
  /** `none`, `gzip`, … */
  readonly compression: string;
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
  close(summary: {readonly bytes: number; readonly truncated: boolean}): void;
}
