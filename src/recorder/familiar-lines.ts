import type {Layer} from './current-input.ts';

/** How many lines are remembered, and how long they may be. */
const SLOTS = 512;
const LONGEST = 255;
/** Bytes of a line that choose its slot. */
const SAMPLES = 8;

/**
 * Lines that were looked at and are an application's. It says much of it again and again, tracebacks above all: the same bytes
 * need no second look, as long as nothing is learnt that lines are judged by.
 */
export class FamiliarLines {
  private readonly bytes = Buffer.allocUnsafe(SLOTS * LONGEST);
  private readonly lengths = new Uint8Array(SLOTS);
  private route: readonly Layer[] | null = null;

  /** `route`: what stands in front of the line; behind another front nothing is familiar. */
  has(buffer: Buffer, from: number, to: number, route: readonly Layer[]): boolean {
    if (this.route !== route) {
      this.route = route;
      this.forget();
    }
    const length = to - from;
    if (length > LONGEST) return false;
    const slot = slotOf(buffer, from, length);
    if (this.lengths[slot] !== length) return false;
    const {bytes} = this;
    const start = slot * LONGEST;
    for (let n = 0; n < length; n++) if (bytes[start + n] !== buffer[from + n]) return false;
    return true;
  }

  add(buffer: Buffer, from: number, to: number): void {
    const length = to - from;
    if (length > LONGEST) return;
    const slot = slotOf(buffer, from, length);
    this.lengths[slot] = length;
    buffer.copy(this.bytes, slot * LONGEST, from, to);
  }

  forget(): void {
    this.lengths.fill(0);
  }
}

function slotOf(buffer: Buffer, from: number, length: number): number {
  let mixed = length;
  for (let n = 1; n <= SAMPLES; n++)
    mixed = Math.imul(mixed, 31) + (buffer[from + Math.floor((length * n - 1) / SAMPLES)] as number);
  return mixed & (SLOTS - 1);
}
