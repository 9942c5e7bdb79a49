import {expect} from 'vitest';
import {type Diagnosis, prepare} from '../../src/analyze.ts';
import {header} from '../../src/report/text/header.ts';
import {pageFor} from '../../src/report/text/page.ts';
import {verdict} from '../../src/report/verdict.ts';
import {LineFeed} from '../../src/source/line-feed.ts';
import type {Process, Timeline} from '../../src/timeline/timeline.ts';

/** What is made of a log, in the words that its reader sees. */
export interface Judged {
  readonly diagnosis: Diagnosis;
  readonly timeline: Timeline;
  /** `message pid` of each event, in order. */
  readonly said: readonly string[];
  /** Rules that found something, each with its confidence and pids. */
  readonly findings: readonly string[];
  readonly verdict: string;
  readonly header: string;
  /** All processes of all instances. */
  readonly processes: readonly Process[];
}

type Line = string | Buffer;

/** Reads logs one after the other, and holds the counts of each to its lines. */
export async function judgedAll(logs: readonly (readonly Line[])[]): Promise<Judged> {
  const {recorder, judge} = await prepare({});
  const feed = new LineFeed(recorder);
  for (const [n, lines] of logs.entries()) {
    const bytes = Buffer.concat(lines.flatMap((line) => [Buffer.from(line as string), Buffer.from('\n')]));
    recorder.open({name: `${'abcdefgh'[n]}.log`, compression: 'none', continues: false});
    feed.append(bytes);
    feed.finish();
    recorder.close({bytes: bytes.length, truncated: false, cutLine: feed.cutLine});
  }
  const diagnosis = await judge(recorder.finish());
  const {timeline, findings} = diagnosis;
  for (const {counts, lines} of timeline.inputs) expect(Object.values(counts).reduce((a, b) => a + b, 0)).toBe(lines);
  const page = pageFor(timeline, {width: 1000, color: false});
  return {
    diagnosis,
    timeline,
    said: timeline.events.map(({message, pid}) => `${message} ${pid}`),
    findings: findings.map(({rule, confidence, pids}) => `${rule} ${confidence} ${pids}`.trim()),
    verdict: verdict(diagnosis),
    header: header(timeline, diagnosis.notes, page),
    processes: timeline.instances.flatMap(({processes}) => processes),
  };
}

export function judged(...lines: Line[]): Promise<Judged> {
  return judgedAll([lines]);
}
