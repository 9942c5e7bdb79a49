import type {Matcher} from '../grammar/matcher.ts';

/** Fields that tell one stream of lines from another, in the order in which they name it. */
const ORIGIN = ['host', 'pod', 'container', 'program', 'dyno', 'labels', 'logStream', 'ident'];

/** What the layers of one grammar capture, by name. */
export class LayerReader {
  readonly matcher: Matcher;
  private readonly originOf: readonly (readonly number[])[];
  private buffer: Buffer = Buffer.alloc(0);
  /** Where no layer begins, as far as was asked last: a line is asked about several times. */
  private bareAt = -1;

  constructor(matcher: Matcher) {
    this.matcher = matcher;
    const origin = ORIGIN.map((name) => matcher.fields.indexOf(name)).filter((field) => field >= 0);
    this.originOf = matcher.fieldsOf.map((fields) => origin.filter((field) => fields.includes(field)));
  }

  bind(buffer: Buffer): void {
    this.buffer = buffer;
    this.matcher.bind(buffer);
    this.changed();
  }

  /** There are other bytes in the buffer. */
  changed(): void {
    this.bareAt = -1;
  }

  /** The layer that begins at `at`, or -1. */
  prefix(at: number): number {
    if (at === this.bareAt) return -1;
    const layer = this.matcher.prefix(at);
    if (layer < 0) this.bareAt = at;
    return layer;
  }

  /** What the layer that was just matched captured as `name`; null where it did not. */
  text(layer: number, name: string): string | null {
    const field = this.matcher.fields.indexOf(name);
    return this.matcher.fieldsOf[layer]?.includes(field) ? this.captured(field) : null;
  }

  origin(layer: number): string[] {
    return (this.originOf[layer] ?? []).map((field) => this.captured(field)).filter((name) => name !== null);
  }

  /** Where the names of {@link origin} stand in the bytes: their beginnings and ends, by turns. */
  originPlaces(layer: number): number[] {
    const {captures} = this.matcher;
    const present = (this.originOf[layer] ?? []).filter((field) => (captures[2 * field] as number) >= 0);
    return present.flatMap((field) => [captures[2 * field] as number, captures[2 * field + 1] as number]);
  }

  private captured(field: number): string | null {
    const from = this.matcher.captures[2 * field] as number;
    return from < 0 ? null : this.buffer.toString('utf8', from, this.matcher.captures[2 * field + 1]);
  }
}
