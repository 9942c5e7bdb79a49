/** As in expression.ts, which brings along Ohm. */
const LF = 10;

/** What {@link compileSweep} makes of messages, as a module of the build. */
export interface SweepPlan {
  readonly messages: readonly string[];
  /** The fields of a record, behind its {@link HEAD}: a number takes one cell; a text three, where it begins, where it ends, and {@link IS_SAME}. */
  readonly cells: readonly string[];
  /** No message is shorter. */
  readonly least: number;
  /** How many bytes are looked at in one go. */
  readonly chunk: number;
  /** Where in the memory of the code these bytes are put, and where the records are found. */
  readonly input: number;
  readonly output: number;
  /** The code, in base64. */
  readonly wasm: string;
}

/** Cells at the beginning of each record: the message's number, and where it begins and ends. */
export const HEAD = 4;
export const FROM = 1;
export const TO = 2;
/** And 1 if the line follows that of the record before, and the same bytes were skipped in both. 0 says nothing, as {@link IS_SAME}. */
export const IS_ALIKE = 3;
/**
 * The last cell of a text: 1 if it is the same as in the record before, of the same run. 0 says nothing: the text may be too short for a
 * comparison to be worth it.
 */
export const IS_SAME = 2;
/** Bytes of a processor's word. */
export const WORD = 8;
/** Bytes of a cell, which is a float as JavaScript's numbers are. */
export const CELL = 8;

type Run = (at: number, end: number, record: number, shift: number, skip: number) => number;

/**
 * Goes through many lines at once and tells which are one of a few messages. Much faster than a matcher where nearly every line is:
 * the code is WebAssembly, and nobody is asked line by line.
 */
export class Sweep {
  /** The records of the last run. */
  readonly records: Float64Array;
  /** Cells of a record. */
  readonly width: number;
  /** Where the lines end that the last run has seen. */
  reached = 0;

  private readonly plan: SweepPlan;
  private readonly memory: Uint8Array;
  private readonly run: Run;

  /** Null where the process may not run such code, or has no room for it. */
  static of(plan: SweepPlan): Sweep | null {
    try {
      const {memory, run} = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(plan.wasm, 'base64'))).exports;
      return new Sweep(plan, memory as WebAssembly.Memory, run as Run);
    } catch {
      return null;
    }
  }

  private constructor(plan: SweepPlan, memory: WebAssembly.Memory, run: Run) {
    this.plan = plan;
    this.memory = new Uint8Array(memory.buffer);
    this.records = new Float64Array(memory.buffer, plan.output);
    this.width = HEAD + plan.cells.length;
    this.run = run;
  }

  /** The cell of a record where the value of `field` stands, or its beginning. Throws if it is not in the plan: a mistake in the program. */
  cell(field: string): number {
    const cell = this.plan.cells.indexOf(field);
    if (cell < 0) throw new Error(`the sweep of ${this.plan.messages[0]} has no field "${field}"`);
    return HEAD + cell;
  }

  /**
   * Looks at whole lines of `buffer` from `from` on, in each of them from its byte `skip` on, and gives the number of records. It may stop
   * before `to`: see {@link reached}.
   */
  lines(buffer: Buffer, from: number, to: number, skip: number): number {
    const {chunk, input, output} = this.plan;
    let until = Math.min(to, from + chunk);
    if (until < to) until = buffer.lastIndexOf(LF, until - 1) + 1;
    if (until <= from) {
      this.reached = buffer.indexOf(LF, from) + 1;
      return 0;
    }
    this.reached = until;
    // V8 copies memory that threads share word by word where both places are equally aligned, and byte by byte elsewhere.
    const at = input + ((buffer.byteOffset + from) % WORD);
    this.memory.set(buffer.subarray(from, until), at);
    const end = this.run(at, at + until - from, output, from - at, skip);
    return (end - output) / (CELL * this.width);
  }
}
