import type {Format} from '../formats/format.ts';
import {formats} from '../formats/index.ts';
import {type Furthest, FurthestFinder, isCloser} from '../grammar/furthest.ts';
import {loadGrammar} from '../grammar/load.ts';
import {locateGrammar} from '../grammar/locate.ts';

/** The message that a text comes nearest to. */
export interface Closest extends Furthest {
  /** The program whose message it is; null where it is an envelope. */
  readonly program: string | null;
}

const ENVELOPES = ['envelope.ohm', 'origin.ohm'];

interface Finder {
  readonly program: string | null;
  readonly messages: FurthestFinder;
}

/**
 * Finds out where a text that was not recognised stops being like a message or an envelope. Takes milliseconds a text, and
 * for the first up to two seconds.
 */
export class ClosestFinder {
  private readonly programs: readonly string[];
  private loaded: readonly Finder[] | null = null;

  /** `programs`: whose messages a text may be; none of them is all. */
  constructor(programs: readonly string[]) {
    this.programs = programs;
  }

  /** Null where no message of any program and no envelope begins like the text, which has one character per byte. */
  closestTo(text: string): Closest | null {
    let best: Closest | null = null;
    this.loaded ??= [
      ...this.candidates().map(({id, grammarFile}) => finder(id, grammarFile)),
      ...ENVELOPES.map((grammarFile) => finder(null, grammarFile)),
    ];
    for (const {program, messages} of this.loaded) {
      const found = messages.find(text);
      if (found !== null && (best === null || isCloser(found, best))) best = {program, ...found};
    }
    return best;
  }

  private candidates(): readonly Format[] {
    const supervisors = formats.filter(({isApplication}) => !isApplication);
    const named = supervisors.filter(({id}) => this.programs.includes(id));
    return named.length > 0 ? named : supervisors;
  }
}

function finder(
  program: string | null,
  grammarFile: string,
): {readonly program: string | null; readonly messages: FurthestFinder} {
  return {program, messages: new FurthestFinder(loadGrammar(locateGrammar(grammarFile)))};
}
