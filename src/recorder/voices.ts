import type {LineRef, Voice} from '../timeline/event.ts';

/** Different words of one process that are told apart; what comes later is not listened to. */
const MOST_WORDS = 64;
const MOST_PROCESSES = 256;
/** So much of a line is compared. */
const LENGTH = 60;

/** Who says what: lines of an application's logger, by process and words, however many there are. */
export class Voices {
  private readonly byProcess = new Map<string, Map<string, {-readonly [key in keyof Voice]: Voice[key]} & {events: number}>>();

  /** @param events How many events the recording has so far: lines with none in between follow each other by themselves. */
  hear(pid: number, stream: string | null, said: string, line: LineRef, events: number): void {
    const process = `${pid} ${stream ?? ''}`;
    let voices = this.byProcess.get(process);
    if (voices === undefined) {
      if (this.byProcess.size >= MOST_PROCESSES) return;
      voices = new Map();
      this.byProcess.set(process, voices);
    }
    const words = said.replace(/\d+/g, '#').slice(0, LENGTH);
    const known = voices.get(words);
    if (known === undefined) {
      if (voices.size < MOST_WORDS)
        voices.set(words, {pid, stream, words, count: 1, repeats: 0, first: line, last: line, events});
      return;
    }
    known.count++;
    if (known.events === events) known.repeats++;
    known.events = events;
    known.last = line;
  }

  all(): Voice[] {
    return [...this.byProcess.values()].flatMap((voices) => [...voices.values()].map(({events: _, ...voice}) => voice));
  }
}
