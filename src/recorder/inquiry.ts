import {PLAIN} from '../envelope/names.ts';
import type {CurrentInput} from './current-input.ts';
import type {Reader} from './reader.ts';
import type {Place, Taken, Witness} from './witness.ts';

/** Lines of a kind that nobody knew, kept to be shown. */
const MOST_MISSED = 3;
const LONGEST_KEPT = 4000;
/** Streams that are told apart; what comes later is counted with the last of them. */
const MOST_STREAMS = 200;

/** Why an input was read the way it was. */
export interface InputInquiry {
  /** By the stream; null for lines that tell none. */
  readonly streams: ReadonlyMap<string | null, StreamInquiry>;
  /** Lines that stood inside an envelope, by its name; bare ones as `plain`. */
  readonly envelopes: ReadonlyMap<string, number>;
  /** By the program's id. */
  readonly programs: ReadonlyMap<string, ProgramInquiry>;
  /** The first lines that look like a supervisor's and that nobody knew, and the first of the others. */
  readonly missed: readonly MissedLine[];
}

export interface StreamInquiry {
  readonly firstLine: number;
  lines: number;
  /** Lines in which a message was found. */
  recognised: number;
  /** Lines by the envelopes around them, joined by ` > `. */
  readonly routes: Map<string, number>;
  readonly programs: Map<string, number>;
}

export interface ProgramInquiry {
  /** Lines that were read as its words. */
  taken: number;
  /** Lines that were read as another's words and could have been its as well. */
  possible: number;
}

export interface MissedLine {
  readonly line: number;
  /** The text inside its envelopes, byte by byte. */
  readonly text: string;
  readonly looksKnown: boolean;
  readonly names: readonly string[];
}

/** Keeps the reasons. One entry per input, in the order in which they are read. */
export class Inquiry implements Witness {
  private readonly known = new Map<number, Notebook>();

  /** By the index of the input. An input of which no line was told apart has none. */
  of(input: number): InputInquiry | undefined {
    return this.known.get(input);
  }

  took(place: Place, {reader, readers, at}: Taken): void {
    const notebook = this.notebookOf(place.input);
    const {input} = place;
    const {programs} = notebook;
    program(programs, reader).taken++;
    for (const other of readers) if (other !== reader && couldRead(other, place, at)) program(programs, other).possible++;
    const stream = notebook.at(place);
    stream.recognised++;
    stream.programs.set(reader.format.id, (stream.programs.get(reader.format.id) ?? 0) + 1);
    notebook.lastLine = input.line;
  }

  missed(place: Place, text: Buffer, looksKnown: boolean): void {
    const notebook = this.notebookOf(place.input);
    const {line} = place.input;
    // A text is looked at from the outside again when nothing inside was known.
    if (notebook.lastLine === line) return;
    notebook.lastLine = line;
    notebook.at(place);
    if (notebook.missed.filter((missed) => missed.looksKnown === looksKnown).length >= MOST_MISSED) return;
    notebook.missed.push({line, text: text.toString('latin1', 0, LONGEST_KEPT), looksKnown, names: place.names});
  }

  private notebookOf({index}: CurrentInput): Notebook {
    let notebook = this.known.get(index);
    if (notebook === undefined) {
      notebook = new Notebook();
      this.known.set(index, notebook);
    }
    return notebook;
  }
}

class Notebook implements InputInquiry {
  readonly streams = new Map<string | null, StreamInquiry>();
  readonly envelopes = new Map<string, number>();
  readonly programs = new Map<string, ProgramInquiry>();
  readonly missed: MissedLine[] = [];
  lastLine = 0;

  /** Counts a text at this place, and gives its stream. */
  at({input, stream, names}: Place): StreamInquiry {
    for (const name of names.length === 0 ? [PLAIN] : names) this.envelopes.set(name, (this.envelopes.get(name) ?? 0) + 1);
    let known = this.streams.get(stream);
    if (known === undefined) {
      known =
        this.streams.size < MOST_STREAMS
          ? {firstLine: input.line, lines: 0, recognised: 0, routes: new Map(), programs: new Map()}
          : ([...this.streams.values()].at(-1) as StreamInquiry);
      this.streams.set(stream, known);
    }
    const route = names.length === 0 ? PLAIN : names.join(' > ');
    known.routes.set(route, (known.routes.get(route) ?? 0) + 1);
    known.lines++;
    return known;
  }
}

function program(programs: Map<string, ProgramInquiry>, {format}: Reader): ProgramInquiry {
  const known = programs.get(format.id) ?? {taken: 0, possible: 0};
  programs.set(format.id, known);
  return known;
}

function couldRead({format, matcher, meanings}: Reader, {stream}: Place, at: number): boolean {
  if (format.isApplication || (format.needsOrigin && stream === null)) return false;
  const message = matcher.match(at);
  return message >= 0 && meanings[message] !== 'unknown';
}
