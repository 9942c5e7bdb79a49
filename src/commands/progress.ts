import type {Progress} from '../analyze.ts';
import {thousands} from '../number.ts';

/** Whoever has the answer before that needs no progress. */
const FIRST_MS = 500;
const INTERVAL_MS = 200;
const MEGABYTE = 1_000_000;

/** Where progress is drawn: one line that is written over. */
interface ProgressLine {
  write(text: string): void;
  readonly columns?: number | undefined;
}

/**
 * Draws how far the reading is on a terminal, from half a second on. Asks from time to time; the reader does nothing for
 * it. Gives what ends it and removes the line.
 */
export function showProgress(progress: () => Progress, line: ProgressLine): () => void {
  const begun = performance.now();
  let isDrawn = false;
  const timer = setInterval(() => {
    const elapsed = performance.now() - begun;
    if (elapsed < FIRST_MS) return;
    isDrawn = true;
    line.write(`\r${progressText(progress(), elapsed).slice(0, (line.columns ?? 80) - 1)}\x1b[K`);
  }, INTERVAL_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    if (isDrawn) line.write('\r\x1b[K');
  };
}

/** `reading: 41 % of 1,204 MB, 812 MB/s, 5,021 events`; without the whole where it is not known. `elapsed` is in milliseconds. */
export function progressText({bytes, total, events}: Progress, elapsed: number): string {
  const megabytes = (value: number) => `${thousands(Math.round(value / MEGABYTE))} MB`;
  const part =
    total === null || total === 0
      ? megabytes(bytes)
      : `${Math.min(100, Math.floor((100 * bytes) / total))} % of ${megabytes(total)}`;
  return `reading: ${part}, ${megabytes(bytes / (elapsed / 1000))}/s, ${thousands(events)} ${events === 1 ? 'event' : 'events'}`;
}
