import {describe, expect, test} from 'vitest';
import {recordedLines} from '../envelope/plain-run.ts';
import {type Judged, judged, judgedAll} from './judged.ts';

/** A reload in which three idle workers are forced. */
const TIMED = recordedLines('uwsgi-idle-workers-held');
const HELD = TIMED.map(({text}) => text);
const timeOf = (n: number) => TIMED[n]?.time ?? 0;
const RELOAD = HELD.findIndex((line) => line.includes('gracefully killing workers'));
const plain = judged(...HELD);

const forcedIn = ({processes}: Judged) => processes.filter(({end}) => end === 'forced').map(({pid}) => pid);
const isLifecycle = (line: string) => !line.startsWith('[pid: ') && /worker \d|workers\.\.\.|binary reloading|master/.test(line);

/** The same run is found, with the same findings. */
async function same(log: Judged): Promise<void> {
  const {said, findings, timeline} = await plain;
  expect(log.said).toEqual(said);
  expect(forcedIn(log)).toEqual([19380, 19381, 19388]);
  expect(log.findings).toEqual(findings);
  expect(log.timeline.reloads.map(({outcome}) => outcome)).toEqual(timeline.reloads.map(({outcome}) => outcome));
}

describe('output without a line end', () => {
  test('stands in front of every line of a reload', async () => {
    const log = await judged(...HELD.map((line, n) => (n >= RELOAD && isLifecycle(line) ? `....${line}` : line)));
    await same(log);
    expect(log.header).toContain('messages behind other text in one line');
  });

  test('two messages in one line', async () => {
    const buried = HELD.findIndex((line) => line.startsWith('worker 1 buried'));
    const log = await judged(...HELD.slice(0, buried), `....${HELD[buried]}${HELD[buried + 1]}`, ...HELD.slice(buried + 2));
    await same(log);
  });

  test('a worker says that it is done, and the master that it is gone, in one line', async () => {
    const {processes} = await judged(
      ...HELD.slice(0, RELOAD),
      '...The work of process 19380 is done. Seeya!worker 1 killed successfully (pid: 19380)',
      'Respawned uWSGI worker 1 (new pid: 19400)',
    );
    expect(processes.find(({pid}) => pid === 19380)).toMatchObject({end: 'clean', successorPid: 19400});
  });
});

describe('encoders', () => {
  const json = (text: string, n: number) => JSON.stringify({unix: Math.floor(timeOf(n) / 1000), msg: text});

  test('without line ends: one line', async () => {
    const log = await judged(HELD.map((line, n) => json(`${line}\n`, n)).join(''));
    await same(log);
    expect(log.timeline.inputs[0]?.lines).toBe(1);
  });

  test('that begin after the first lines, and again after each reload', async () => {
    const starts = HELD.flatMap((line, n) => (line.startsWith('[uWSGI] getting') ? [n] : []));
    expect(starts).toHaveLength(2);
    const isEarly = (n: number) => starts.some((start) => n >= start && n < start + 3);
    await same(await judged(...HELD.map((line, n) => (isEarly(n) ? line : json(line, n)))));
  });

  test('a rotation in the middle of a reload', async () => {
    const half = RELOAD + 5;
    const {readInputs} = await import('../../src/source/inputs.ts');
    const {prepare} = await import('../../src/analyze.ts');
    const {temporaryDirectory} = await import('../source/collecting-sink.ts');
    const {write} = temporaryDirectory();
    write('uwsgi.log.1', `${HELD.slice(0, half).join('\n')}\n`);
    const newest = write('uwsgi.log', `${HELD.slice(half).join('\n')}\n`);
    const {recorder, judge} = await prepare({});
    expect(await readInputs([newest.replace(/uwsgi\.log$/, 'uwsgi.log*')], recorder, {onNote() {}})).toEqual([]);
    const {timeline, findings} = await judge(recorder.finish());
    expect(timeline.inputs.map(({lines}) => lines)).toEqual([half, HELD.length - half]);
    expect(findings.map(({rule, confidence, pids}) => `${rule} ${confidence} ${pids}`.trim())).toEqual((await plain).findings);
  });
});

describe('what tools and people leave', () => {
  test('kilobytes of NUL at the beginning', async () => {
    const log = await judged(Buffer.concat([Buffer.alloc(9000), Buffer.from(HELD[0] as string)]), ...HELD.slice(1));
    await same(log);
    expect(log.header).toContain('NUL bytes');
  });

  test('NULs in the middle of a reload', async () => {
    const at = RELOAD + 4;
    const log = await judged(
      ...HELD.slice(0, at),
      Buffer.concat([Buffer.from(HELD[at] as string), Buffer.alloc(9000), Buffer.from(HELD[at + 1] as string)]),
      ...HELD.slice(at + 2),
    );
    await same(log);
    expect(log.header).toContain('NUL bytes');
  });

  test('script(1)', async () => {
    const log = await judged(
      'Script started on 2026-11-20 23:29:16+00:00 [TERM="xterm" TTY="/dev/pts/0" COLUMNS="80" LINES="24"]\r',
      '$ uwsgi uwsgi.ini\r',
      ...HELD.map((line) => `${line}\r`),
      '^C\r',
      'Script done on 2026-11-20 23:30:16+00:00 [COMMAND_EXIT_CODE="0"]\r',
    );
    await same(log);
    expect(log.header).toContain('0 unknown');
  });

  test('comments, quote marks, numbers of lines and the echo of a key', async () => {
    const log = await judged(
      'Hi all, since yesterday a reload takes ages. This is the log:',
      '```',
      ...HELD.map((line, n) => `> ${n + 1}:${n === RELOAD ? '^C' : ''}${line}`),
      '```',
      'so worker 2 is killed, any ideas?',
    );
    await same(log);
    expect(log.timeline.inputs[0]?.counts.application).toBe(2);
  });

  test('carriage returns in place of line ends', async () => {
    await same(await judged(HELD.join('\r')));
  });

  test('a bar of progress in front of a message', async () => {
    await same(await judged(...HELD.map((line, n) => (n > RELOAD && isLifecycle(line) ? ` 10%\r 50%\r100%\r${line}` : line))));
  });

  test('every line closed with a dollar sign', async () => {
    const {findings} = await plain;
    const log = await judged(...HELD.map((line) => `${line}$`));
    expect(log.findings).toEqual(findings);
    expect(forcedIn(log)).toEqual([19380, 19381, 19388]);
    expect(log.header).toContain('marks that a tool put at the ends of lines');
  });

  test('every line closed by a web page', async () => {
    const log = await judged('<pre>', ...HELD.map((line) => `${line.replaceAll("'", '&#039;')}<br />`), '</pre>');
    expect(log.findings).toEqual((await plain).findings);
    expect(forcedIn(log)).toEqual([19380, 19381, 19388]);
    expect(log.header).toContain('a web page changed');
  });
});

describe('what transports do to lines', () => {
  test('line ends as #012, a tag without a colon, two blanks', async () => {
    const text = HELD.slice(RELOAD, RELOAD + 4).join('#012');
    const front = (n: number) => `<30>1 2026-11-21T14:10:${String(10 + Math.floor(n / 12)).padStart(2, '0')}Z vm uwsgi 42 - -  `;
    const log = await judged(
      ...HELD.slice(0, RELOAD).map((line, n) => front(n) + line),
      front(RELOAD) + text,
      ...HELD.slice(RELOAD + 4).map((line) => front(108) + line),
    );
    expect(log.said).toEqual((await plain).said);
    expect(forcedIn(log)).toEqual([19380, 19381, 19388]);
  });

  test('a message that the journal left out', async () => {
    const record = (MESSAGE: string | null, n: number) =>
      JSON.stringify({
        MESSAGE,
        __REALTIME_TIMESTAMP: String((1795270211 + n / 10) * 1e6),
        _PID: '19372',
        _SYSTEMD_UNIT: 'uwsgi.service',
      });
    const log = await judged(...HELD.map((line, n) => record(n === 5 ? null : line, n)));
    expect(log.header).toContain('messages that the journal left out (use -a)');
    expect(forcedIn(log)).toEqual([19380, 19381, 19388]);
  });
});

describe('near misses', () => {
  test('a gateway is no worker', async () => {
    const {processes} = await judged(...HELD.slice(0, RELOAD), 'respawned uWSGI http 1 (pid: 500)');
    expect(processes.filter(({role}) => role === 'worker').map(({pid}) => pid)).toEqual([19380, 19381, 19388]);
  });

  test('a master that is spawned again is no second one', async () => {
    const {timeline} = await plain;
    expect(timeline.instances).toHaveLength(1);
    expect(timeline.instances[0]?.epochs).toHaveLength(2);
  });

  test('systemd that starts gunicorn is not gunicorn that starts', async () => {
    const {said, timeline} = await judged(
      'Nov 20 23:29:16 vm systemd[1]: Starting gunicorn daemon...',
      'Nov 20 23:29:16 vm systemd: Starting gunicorn daemon',
      'Nov 20 23:29:17 vm systemd[1]: Started gunicorn daemon.',
    );
    expect(said.map((each) => each.split('/')[0])).not.toContain('gunicorn');
    expect(timeline.instances.map(({supervisor}) => supervisor)).not.toContain('gunicorn');
  });
});

describe('two clocks, two sinks', () => {
  test("a child's lines below supervisord's at debug level", async () => {
    const log = await judged(
      "2026-11-21 14:10:10,000 INFO spawned: 'uwsgi' with pid 19372",
      ...HELD.flatMap((line, n) => [`2026-11-21 14:10:${11 + Math.floor(n / 10)},075 DEBG 'uwsgi' stdout output:`, line]),
    );
    expect(log.said.filter((each) => each.startsWith('uwsgi/'))).toEqual((await plain).said);
    expect(forcedIn(log)).toEqual([19380, 19381, 19388]);
  });

  test('every line twice in one file', async () => {
    const log = await judged(
      ...HELD.flatMap((line) => [
        `Nov 21 14:10:11 vm uwsgi[19372]: ${line}`,
        `2026-11-21T14:10:11.5+00:00 vm uwsgi[19372]: ${line}`,
      ]),
    );
    expect(forcedIn(log)).toEqual([19380, 19381, 19388]);
    expect(log.timeline.instances).toHaveLength(1);
    expect(log.header).toMatch(/twice|two sinks|doubled|again/);
  });

  test('a clock that is two hours off', async () => {
    const log = await judged(...HELD.map((line, n) => `${new Date(timeOf(n) - 7_200_000).toISOString()} ${line}`));
    expect(forcedIn(log)).toEqual([19380, 19381, 19388]);
    expect(log.header).toContain('clock is 2 h off');
  });

  test('two logs of two servers with the same pids', async () => {
    const log = await judgedAll([HELD, HELD.map((line) => line.replaceAll('14:10', '15:40'))]);
    expect(log.timeline.instances).toHaveLength(2);
    expect(forcedIn(log)).toEqual([19380, 19381, 19388, 19380, 19381, 19388]);
  });
});
