import {describe, expect, test} from 'vitest';
import {judged} from '../hostile/judged.ts';
import {accusations, diagnosisOf, essence, recordedLines, type TimedLine} from './plain-run.ts';

// Two services of one host whose lines have the same name in the journal, `uwsgi`: only the pid behind it tells them apart.

/** A line, and the process that wrote it. */
interface Written extends TimedLine {
  readonly writer: number;
}

/** Everything but the words of workers comes from the master, which has its pid before it is the master. */
function written(lines: readonly TimedLine[], pidsMoved = 0): Written[] {
  const moved = lines.map(({text, time}) => ({
    time,
    text: text.replace(/(pid: )(\d+)/g, (_, before: string, pid: string) => `${before}${Number(pid) + pidsMoved}`),
  }));
  const master = Number(/master process \(pid: (\d+)\)/.exec(moved.map(({text}) => text).join('\n'))?.[1]);
  const own = /^\[pid: (\d+)\||^Gracefully killing worker \d+ \(pid: (\d+)\)/;
  return moved.map(({text, time}) => {
    const [, served, asked] = own.exec(text) ?? [];
    return {text, time, writer: Number(served ?? asked ?? master)};
  });
}

function shiftedTo(lines: readonly TimedLine[], start: number): TimedLine[] {
  return lines.map(({text, time}) => ({text, time: time - (lines[0]?.time ?? 0) + start}));
}

const short = ({text, time, writer}: Written) =>
  `${new Date(time).toISOString().replace('Z', '000+0000')} vm uwsgi[${writer}]: ${text}`;
const untold = ({text, time}: Written) => `${new Date(time).toISOString().replace('Z', '000+0000')} vm uwsgi: ${text}`;
const together = (...units: readonly Written[][]) => units.flat().toSorted((a, b) => a.time - b.time);
const named = (value: unknown) =>
  JSON.parse(JSON.stringify(value).replaceAll(/"(?:uwsgi|reload)-\d+"/g, '"…"')) as {
    instances: readonly {masterPid: number}[];
    reloads: readonly unknown[];
  };

const HELD = recordedLines('uwsgi-idle-workers-held');
const HEALTHY = shiftedTo(recordedLines('uwsgi-healthy-reload'), HELD[0]?.time ?? 0);

describe.each([
  ['one is held while the other reloads twice', written(HELD), written(HEALTHY)],
  ['both do the same at the same time', written(HELD), written(HELD, 5000)],
])('%s', (_, one, other) => {
  test('each has what is its own', async () => {
    const both = await judged(...together(one, other).map(short));
    const alone = await Promise.all([one, other].map((unit) => diagnosisOf(`${unit.map(short).join('\n')}\n`)));
    expect(both.header).not.toContain('Unproved');
    expect(both.timeline.instances).toHaveLength(2);
    for (const {timeline} of alone) {
      const {instances, reloads} = named(essence(timeline));
      const all = named(essence(both.timeline));
      expect(all.instances).toContainEqual(instances[0]);
      for (const reload of reloads) expect(all.reloads).toContainEqual(reload);
    }
    const accused = alone.flatMap(({findings}) => findings.map(({rule, pids}) => `${rule} ${pids}`));
    expect(both.diagnosis.findings.map(({rule, pids}) => `${rule} ${pids}`).toSorted()).toEqual(accused.toSorted());
  });

  test('where the pid is cut away, it is said what no line tells', async () => {
    const both = await judged(...together(one, other).map(untold));
    expect(both.header).toContain('Unproved');
  });
});

test('a unit whose start no line tells is not taken for the other', async () => {
  const running = written(HEALTHY, 5000);
  const from = running.findIndex(({text}) => text.startsWith('...gracefully killing'));
  const {timeline} = await judged(...together(written(HELD), running.slice(from)).map(short));
  expect(timeline.instances.map(({masterPid}) => masterPid).toSorted()).toEqual([19372, 24374]);
  const forced = timeline.reloads.filter(({workers}) => workers.some(({end}) => end === 'forced'));
  expect(forced.map(({instance}) => timeline.instances.find(({id}) => id === instance)?.masterPid)).toEqual([19372]);
  expect(timeline.reloads.filter(({instance}) => instance === forced[0]?.instance)).toHaveLength(1);
});

test('a transport that names itself as the writer of every line changes nothing', async () => {
  const itself = (writer: number) =>
    diagnosisOf(
      `${written(HELD)
        .map((line) => short({...line, writer}))
        .join('\n')}\n`,
    );
  const [plain, docker] = await Promise.all([diagnosisOf(`${written(HELD).map(short).join('\n')}\n`), itself(981)]);
  expect(essence(docker.timeline)).toEqual(essence(plain.timeline));
  expect(accusations(docker)).toEqual(accusations(plain));
});
