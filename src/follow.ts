/** The pipeline for a log that goes on: what is known so far is judged again whenever there is something new. */
import {setTimeout as sleep} from 'node:timers/promises';
import {type AnalyzeOptions, type Diagnosis, prepare} from './analyze.ts';
import type {RuleFinding} from './rules/rule.ts';
import {Findings} from './rules/settled.ts';
import {follow} from './source/follow.ts';

interface FollowLogOptions extends Omit<AnalyzeOptions, 'inputs' | 'onReading'> {
  /** A file, or `-`. */
  readonly input: string;
  /** Aborting it ends the following. */
  readonly signal: AbortSignal;
  /** Called with each state of affairs, and with the findings that have become sure with it. */
  readonly onState: (diagnosis: Diagnosis, news: readonly RuleFinding[]) => void;
  /** The least time between two judgements, in milliseconds. */
  readonly interval?: number;
}

const INTERVAL_MS = 1000;
/** Judging takes at most this part of the time. */
const SHARE = 10;

/**
 * Reads a log as it grows and judges it at most once each interval, when new events have come. Gives the diagnosis at
 * the end of a pipe or when the signal is aborted, and the findings that {@link FollowLogOptions.onState} was not told
 * of. Throws as `analyze` does, and InputError where the input cannot be followed.
 *
 * The whole timeline is built and judged anew each time: some 0.1 s for ten chain reloads (430 events), a second for a
 * hundred. What takes longer is done less often.
 */
export async function followLog(
  options: FollowLogOptions,
): Promise<{readonly diagnosis: Diagnosis; readonly news: readonly RuleFinding[]}> {
  const {recorder, judge} = await prepare(options);
  const findings = new Findings();
  const stopped = new AbortController();
  let judged = 0;
  let isIdle = false;
  const watch = (async () => {
    let interval = options.interval ?? INTERVAL_MS;
    for (;;) {
      await sleep(interval, undefined, {signal: stopped.signal}).catch(() => {});
      if (stopped.signal.aborted) return;
      const {eventCount} = recorder;
      if (!isIdle || (eventCount === judged && !findings.isWaiting)) continue;
      const begun = performance.now();
      judged = eventCount;
      const diagnosis = await judge(recorder.soFar());
      options.onState(diagnosis, findings.settled(diagnosis));
      interval = Math.max(options.interval ?? INTERVAL_MS, SHARE * (performance.now() - begun));
    }
  })();
  try {
    const onIdle = () => {
      isIdle = true;
    };
    await follow(options.input, recorder, {signal: options.signal, onIdle});
  } finally {
    stopped.abort();
    await watch;
  }
  const diagnosis = await judge(recorder.finish());
  return {diagnosis, news: findings.rest(diagnosis)};
}
