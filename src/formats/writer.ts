/** Whose lines they are, as far as what stands around them tells. There is one object for each of them in an input. */
export interface Writer {
  /** Host, unit, pod, container, program, boot; null where nothing tells. See {@link LogEvent.stream}. */
  readonly stream: string | null;
}

/** The writers of one input. */
export class Writers {
  private readonly known = new Map<string | null, Writer>();

  /** The one with these names. */
  of(origin: readonly string[], boot: string | null): Writer {
    const names = [...new Set(boot === null ? origin : [...origin, boot])];
    const stream = names.length === 0 ? null : names.join('/');
    const known = this.known.get(stream);
    if (known !== undefined) return known;
    const writer = {stream};
    this.known.set(stream, writer);
    return writer;
  }
}
