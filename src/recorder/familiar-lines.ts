import type {Layer} from './current-input.ts';

/** Lines that may be remembered, in sets of which a line's bytes choose one; and how many bytes of lines. */
const SETS = 1024;
const WAYS = 8;
const ROOM = 1024 * 1024;
const LONGEST = 1000;
/** Bytes of a line that choose its set: two to the power of this. */
const SAMPLES = 4;
const SPREAD = 0x9e3779b1;

/** What a line was when it was looked at. */
export interface Familiar {
  readonly kind: 'application' | 'unknown';
  /** Some server's text stands in it. */
  readonly isSpoken: boolean;
  /** The time of its stamps; null where it has none. */
  readonly time: number | null;
  /** Whose lines had been found by then, a bit for each reader: they are asked first; null where it is all the same. */
  readonly asked: number | null;
}

/**
 * Lines that were looked at and say nothing. Programs write much of that again and again, tracebacks above all: the same bytes
 * need no second look, as long as nothing is learnt that lines are judged by.
 */
export class FamiliarLines {
  private readonly bytes = Buffer.allocUnsafe(ROOM);
  private used = 0;
  private readonly keys = new Int32Array(SETS * WAYS);
  private readonly starts = new Int32Array(SETS * WAYS);
  /** 0: there is none. */
  private readonly lengths = new Uint16Array(SETS * WAYS);
  private readonly known: (Familiar | null)[] = new Array(SETS * WAYS).fill(null);
  /** Of each set, the next to be given up. */
  private readonly oldest = new Uint8Array(SETS);
  private route: readonly Layer[] | null = null;

  /** `route`: what stands in front of the line; behind another front nothing is familiar. */
  find(buffer: Buffer, from: number, to: number, route: readonly Layer[]): Familiar | null {
    if (this.route !== route) {
      this.route = route;
      this.forget();
    }
    const {bytes, keys, starts, lengths} = this;
    const length = to - from;
    const key = keyOf(buffer, from, length);
    const set = WAYS * (key >>> SET_SHIFT);
    for (let entry = set; entry < set + WAYS; entry++) {
      if (keys[entry] !== key || lengths[entry] !== length) continue;
      const start = starts[entry] as number;
      if (bytes.compare(buffer, from, to, start, start + length) === 0) return this.known[entry] ?? null;
    }
    return null;
  }

  /** Remembers a line that was just looked for. */
  add(buffer: Buffer, from: number, to: number, as: Familiar): void {
    const length = to - from;
    if (length > LONGEST) return;
    if (this.used + length > ROOM) this.forget();
    const key = keyOf(buffer, from, length);
    const set = key >>> SET_SHIFT;
    const way = this.oldest[set] as number;
    this.oldest[set] = (way + 1) % WAYS;
    const entry = WAYS * set + way;
    this.keys[entry] = key;
    this.starts[entry] = this.used;
    this.lengths[entry] = length;
    this.known[entry] = as;
    buffer.copy(this.bytes, this.used, from, to);
    this.used += length;
  }

  forget(): void {
    this.lengths.fill(0);
    this.used = 0;
  }
}

const SET_SHIFT = 32 - Math.log2(SETS);

function keyOf(buffer: Buffer, from: number, length: number): number {
  let mixed = length;
  for (let n = 1; n <= 1 << SAMPLES; n++)
    mixed = Math.imul(mixed ^ (buffer[from + ((length * n - 1) >> SAMPLES)] as number), SPREAD) ^ (mixed >>> 15);
  return mixed;
}
