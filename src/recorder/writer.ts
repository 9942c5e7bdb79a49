/** Whose lines they are, as far as what stands around them tells. There is one object for each of them in an input. */
export interface Writer {
  /** Host, unit, pod, container, program, boot; null where nothing tells. See {@link LogEvent.stream}. */
  readonly stream: string | null;
  /** The outermost envelope. See {@link LogEvent.sink}. */
  readonly sink: string;
}

/** The writers of one input. */
export class Writers {
  private readonly known = new Map<string, Writer>();

  /** The one with these names, behind these envelopes. */
  of(origin: readonly string[], boot: string | null, [sink = 'plain']: readonly string[]): Writer {
    const names = [...new Set(boot === null ? origin : [...origin, boot])];
    const stream = names.length === 0 ? null : names.join('/');
    const key = `${sink} ${stream ?? ''}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const writer = {stream, sink};
    this.known.set(key, writer);
    return writer;
  }
}
