import {readdirSync, readFileSync} from 'node:fs';
import {type Diagnosis, prepare} from '../../src/analyze.ts';
import type {ClockOptions} from '../../src/recorder/keeper.ts';
import {Recorder} from '../../src/recorder/recorder.ts';
import {LineFeed} from '../../src/source/line-feed.ts';
import {buildTimeline} from '../../src/timeline/build.ts';
import type {Timeline} from '../../src/timeline/timeline.ts';

/** What a log of these bytes shows. */
export function timelineOf(log: string | Buffer, clock: ClockOptions = {}): Promise<Timeline> {
  return timelineOfInputs([{name: 'test.log', log}], clock);
}

export interface TestInput {
  readonly name: string;
  readonly log: string | Buffer;
  /** It is the next part of the log before it. */
  readonly continues?: boolean;
}

/** What these inputs show together. */
export async function timelineOfInputs(inputs: readonly TestInput[], clock: ClockOptions = {}): Promise<Timeline> {
  const recorder = await Recorder.create('compiled', clock);
  feedAll(recorder, inputs);
  return buildTimeline(recorder.finish());
}

/** What is found in a log of these bytes. */
export async function diagnosisOf(log: string | Buffer): Promise<Diagnosis> {
  const {recorder, judge} = await prepare({});
  feedAll(recorder, [{name: 'test.log', log}]);
  return judge(recorder.finish());
}

function feedAll(recorder: Recorder, inputs: readonly TestInput[]): void {
  const feed = new LineFeed(recorder);
  for (const {name, log, continues = false} of inputs) {
    const bytes = Buffer.from(log as string);
    recorder.open({name, compression: 'none', continues});
    feed.append(bytes);
    feed.finish();
    recorder.close({bytes: bytes.length, truncated: false, cutLine: feed.cutLine});
  }
}

export interface TimedLine {
  readonly text: string;
  /** Milliseconds; never before the line before. */
  readonly time: number;
}

/** The lines of a recorded run, each with a time at which it may have been written. */
export function timedLines(sample: string): Promise<TimedLine[]> {
  return timedLinesOf(readFileSync(`samples/uwsgi/${sample}/uwsgi.log`, 'utf8'));
}

/** The same of a log of whatever server. */
export async function timedLinesOf(log: string): Promise<TimedLine[]> {
  const {events, from} = await timelineOf(log);
  const known = new Map(events.map(({line, at}) => [line, at]));
  let time = from ?? 0;
  return log
    .trimEnd()
    .split('\n')
    .map((text, index) => {
      const [, started, duration] = /\} \[(\w{3} \w{3} [ \d]\d [\d:]{8} \d{4})\].* in (\d+) msecs/.exec(text) ?? [];
      if (started !== undefined) time = Math.max(time, Date.parse(`${started} UTC`) + Number(duration));
      const at = known.get(index + 1);
      if (at !== undefined)
        time = Math.max(time, Math.min(Math.max(time, at.earliest ?? 0), at.latest ?? Number.POSITIVE_INFINITY));
      return {text, time};
    });
}

/** The runs that were recorded together with the time of each line, by their folders' names. */
export const recordedRuns = readdirSync('test/envelope/real', {withFileTypes: true})
  .filter((entry) => entry.isDirectory())
  .map(({name}) => name);

/** The lines of such a run. */
export function recordedLines(run: string): TimedLine[] {
  const times = JSON.parse(readFileSync(`test/envelope/real/${run}/line-times.json`, 'utf8')) as number[];
  const lines = readFileSync(`test/envelope/real/${run}/plain.log`, 'utf8').trimEnd().split('\n');
  return lines.map((text, index) => ({text, time: times[index] as number}));
}

/**
 * What is found in a plain log and not in one whose envelope tells times, and why that is right: that a log hides its times.
 * Everything else that is found must be the same.
 */
const ANSWERED_BY_TIMES: ReadonlySet<string> = new Set(['log-hides-times']);

/** Whom and what the findings accuse, and how sure they are. */
export function accusations({findings, rules}: Diagnosis, log: 'as it is' | 'and times are told' = 'as it is'): unknown {
  const meant = log === 'as it is' ? findings : findings.filter(({rule}) => !ANSWERED_BY_TIMES.has(rule));
  const list = meant.map(({rule, severity, confidence, instance, reload, pids, workers, title}) => ({
    rule,
    severity,
    confidence,
    instance,
    reload,
    pids,
    workers,
    title,
  }));
  return {findings: list, undecided: rules.filter(({result}) => result === 'undecided').map(({id}) => id)};
}

/** Everything that must not depend on what is put around the lines. */
export function essence({instances, reloads, tasks, events}: Timeline): unknown {
  return {
    instances: instances.map(({id, supervisor, version, masterPid, predecessor, epochs, settings, processes}) => ({
      id,
      supervisor,
      version,
      masterPid,
      predecessor,
      epochs: epochs.length,
      settings: settings.map(({name, value}) => `${name}=${value}`),
      processes: processes.map(
        ({pid, role, worker, end, cause, killedBy, forced, asked, requests, successorPid, predecessorPid}) => ({
          pid,
          role,
          worker,
          end,
          cause,
          killedBy,
          requests,
          successorPid,
          predecessorPid,
          forced: forced === null ? null : `${forced.deadline} ${forced.tries}`,
          asked: asked === null ? null : `${asked.by} ${asked.acknowledged} ${asked.requestsAfter}`,
        }),
      ),
    })),
    reloads: reloads.map(({kind, trigger, outcome, headless, workers}) => ({
      kind,
      trigger,
      outcome,
      headless,
      workers: workers.map(({worker, oldPid, newPid, end}) => ({worker, oldPid, newPid, end})),
    })),
    tasks: {
      started: tasks.started,
      finished: tasks.finished,
      orphaned: tasks.orphaned.map(({id, pid, lostTo}) => `${id} ${pid} ${lostTo}`),
    },
    events: events.map(({message}) => message),
  };
}

export function linesCounted({inputs}: Timeline): {counted: number; lines: number} {
  const [input] = inputs;
  const counts = Object.values(input?.counts ?? {});
  return {counted: counts.reduce((a, b) => a + b, 0), lines: input?.lines ?? -1};
}
