import {describe, expect, test} from 'vitest';
import type {Timeline} from '../../src/timeline/timeline.ts';
import {linesCounted, timelineOf} from './plain-run.ts';

const SPAWNED = 'spawned uWSGI worker 1 (pid: 7, cores: 1)';
const MERCY = 'worker 1 (pid: 7) is taking too much time to die...NO MERCY !!!';
const REQUEST =
  '[pid: 7|app: 0|req: 1/1] 127.0.0.1 () {22 vars in 259 bytes} [Fri Nov 20 23:29:16 2026] GET /a => generated 3 bytes in 50 msecs (HTTP/1.1 200) 1 headers in 45 bytes (1 switches on core 0)';

/** Reads lines, and holds the counts to their sum. */
async function read(...lines: (string | Buffer)[]): Promise<Timeline> {
  const timeline = await timelineOf(Buffer.concat(lines.flatMap((line) => [Buffer.from(line as string), Buffer.from('\n')])));
  const {counted, lines: all} = linesCounted(timeline);
  expect(counted).toBe(all);
  return timeline;
}

const said = ({events}: Timeline) => events.map(({message, pid}) => `${message} ${pid}`);
const times = ({events}: Timeline) => events.map(({at}) => (at.earliest === null ? null : new Date(at.earliest).toISOString()));
const counts = ({inputs}: Timeline) => inputs[0]?.counts;
const oddities = ({inputs}: Timeline) => inputs[0]?.oddities.map(({what}) => what);
const streams = ({events}: Timeline) => events.map(({stream}) => stream);

describe('the journal', () => {
  test('months of other languages give no date, and never a wrong one', async () => {
    for (const stamp of [
      'nov. 20 23:29:16',
      '11月 20 23:29:16',
      'ноя 20 23:29:16',
      'Set 09 23:29:16',
      ' 3월 15 23:29:16',
      'Mär 01 23:29:16',
    ]) {
      const timeline = await read(`${stamp} vm uwsgi[12]: ${SPAWNED}`);
      expect(said(timeline)).toEqual(['uwsgi/worker-spawned 7']);
      expect(times(timeline)).toEqual([null]);
    }
  });

  test('a new boot is a new stream', async () => {
    const timeline = await read(
      '-- Logs begin at Fri 2026-11-20 23:00:00 UTC, end at Sat 2026-11-21 01:00:00 UTC. --',
      `Nov 20 23:29:16 vm uwsgi[12]: ${SPAWNED}`,
      '-- Boot 6ae1b3f4d2c14d9f8a5b7c6d5e4f3a2b --',
      `Nov 20 23:40:16 vm uwsgi[12]: ${SPAWNED}`,
      '-- Reboot --',
      `Nov 20 23:50:16 vm uwsgi[12]: ${SPAWNED}`,
      '-- No entries --',
    );
    expect(new Set(streams(timeline)).size).toBe(3);
    expect(counts(timeline)).toMatchObject({events: 3, noise: 4});
  });

  test('what journalctl and its readers put between the lines is noise', async () => {
    const timeline = await read(
      '░░ Subject: A start job for unit uwsgi.service has finished successfully',
      '░░',
      '-- Subject: Unit uwsgi.service has failed',
      '--',
      'Hint: You are currently not seeing messages from other users and the system.',
      '-- cursor: s=0639;i=4c2',
      '```text',
      '```',
      'Nov 20 23:29:16 vm uwsgi[12]: [28B blob data]',
      `Nov 20 23:29:16 vm uwsgi[12]: ${SPAWNED}`,
    );
    expect(counts(timeline)).toMatchObject({events: 1, noise: 9, unknown: 0, application: 0});
  });

  test('the further lines of a message are indented', async () => {
    const timeline = await read(`Nov 20 23:29:16 vm uwsgi[12]: hello`, `${' '.repeat(30)}${SPAWNED}`);
    expect(said(timeline)).toEqual(['uwsgi/worker-spawned 7']);
  });

  test('time since boot is no time of day', async () => {
    expect(times(await read(`[ 2121.058362] vm uwsgi[12]: ${SPAWNED}`))).toEqual([null]);
  });

  test('MESSAGE as text, bytes, lines, nothing', async () => {
    const record = (message: unknown) => JSON.stringify({MESSAGE: message, __REALTIME_TIMESTAMP: '1795217356271501', _PID: '3'});
    const timeline = await read(
      record(SPAWNED),
      record([...Buffer.from(`\x1b[1m${SPAWNED}\r`)]),
      record(['x', SPAWNED]),
      record(null),
      record([300, -1]),
      record({}),
      record(7),
    );
    expect(said(timeline)).toEqual(Array(3).fill('uwsgi/worker-spawned 7'));
    expect(new Set(times(timeline))).toEqual(new Set(['2026-11-20T23:29:16.271Z']));
    expect(oddities(timeline)).toContain('messages that the journal left out (use -a)');
  });

  test('an export whose lengths hold line ends', async () => {
    const binary = (text: string) => {
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(Buffer.byteLength(text)));
      return Buffer.concat([Buffer.from('MESSAGE\n'), length, Buffer.from(text)]);
    };
    const timeline = await read(
      '__CURSOR=s=1',
      '__REALTIME_TIMESTAMP=1795217356271501',
      binary('ten bytes!'),
      '_PID=3',
      '',
      '__CURSOR=s=2',
      '__REALTIME_TIMESTAMP=1795217357271501',
      binary(`first\n\n${SPAWNED}`),
      '_PID=3',
      '',
      '__CURSOR=s=3',
      binary('x\u0000y'),
      `MESSAGE=${SPAWNED}`,
      '',
    );
    expect(said(timeline)).toEqual(Array(2).fill('uwsgi/worker-spawned 7'));
    expect(times(timeline)[0]).toBe('2026-11-20T23:29:17.271Z');
  });

  test('an export that breaks off, or never was one', async () => {
    const huge = Buffer.concat([Buffer.from('MESSAGE\n'), Buffer.from('ffffffffffffff7f', 'hex')]);
    expect(said(await read('__CURSOR=s=1', `MESSAGE=${SPAWNED}`))).toEqual(['uwsgi/worker-spawned 7']);
    expect(said(await read('__CURSOR=s=1', huge, SPAWNED))).toEqual(['uwsgi/worker-spawned 7']);
    expect(said(await read('__CURSOR=s=1', 'hello world', SPAWNED))).toEqual(['uwsgi/worker-spawned 7']);
  });

  test('JSON that is spread over lines, breaks off, or is the application’s', async () => {
    expect(said(await read('{', '\t"MESSAGE" : [', '\t\t104,', '\t\t105', '\t],', '\t"_PID" : "3"', '}', SPAWNED))).toEqual([
      'uwsgi/worker-spawned 7',
    ]);
    const broken = await read('{', '  "key": "value",', SPAWNED);
    expect(said(broken)).toEqual(['uwsgi/worker-spawned 7']);
    expect(counts(broken)).toMatchObject({application: 2});
    expect(counts(await read('{', '  "a": 1', '}', SPAWNED))).toMatchObject({application: 3, events: 1});
    expect(counts(await read('{"a":1}', '{"log":', '[1,2]', '{}', '[', ']', SPAWNED))).toMatchObject({events: 1});
  });
});

describe('syslog', () => {
  test('escaped line ends and tabs', async () => {
    const timeline = await read(`Nov 20 23:29:16 vm uwsgi[12]: #033[1mhello#012${SPAWNED}#012#011x`);
    expect(said(timeline)).toEqual(['uwsgi/worker-spawned 7']);
  });

  test('JSON of an application behind a stamp, with a word that a supervisor uses', async () => {
    for (const front of ['2026-11-20T23:24:23Z ', 'Nov 20 23:24:23 vm shop[7]: '])
      expect(said(await read(`${front}{"level":"info","status":"idle","took":3}`, `${front}${SPAWNED}`)), front).toEqual([
        'uwsgi/worker-spawned 7',
      ]);
  });

  test('a line that stands for several', async () => {
    const timeline = await read(
      `Nov 20 23:29:16 vm uwsgi[12]: message repeated 3 times: [ ${SPAWNED}]`,
      'Nov 20 23:29:17 vm last message repeated 2 times',
    );
    expect(timeline.events.map(({fields}) => fields['repeated'])).toEqual([3]);
    expect(counts(timeline)).toMatchObject({events: 1, noise: 1});
  });

  test('odd tags', async () => {
    for (const tag of ['weird: id[x][285]', 'uwsgi', 'a b[12]', 'user@1000.service/app.service[77]', 'uwsgi[12]']) {
      expect(said(await read(`Nov  5 23:29:16 vm ${tag}: ${SPAWNED}`)), tag).toEqual(['uwsgi/worker-spawned 7']);
      expect(said(await read(`2026-11-20T23:29:16+00:00 ${tag}: ${SPAWNED}`)), tag).toEqual(['uwsgi/worker-spawned 7']);
    }
  });

  test('a count of octets, a priority, structured data', async () => {
    for (const front of [
      '<30>Nov 20 23:29:16 vm uwsgi[42]: ',
      '123 <13>2026-11-20T23:29:16+00:00 vm uwsgi: ',
      '<30>1 - - - - - - ',
      '<30>1 2026-11-20T23:29:16Z vm a - - [x@1 y="]\\""] ',
    ]) {
      expect(said(await read(front + SPAWNED)), front).toEqual(['uwsgi/worker-spawned 7']);
    }
  });
});

describe('years that are not told', () => {
  const at = (stamp: string, worker = 1) => `${stamp} vm uwsgi[12]: spawned uWSGI worker ${worker} (pid: ${worker}, cores: 1)`;

  test('come from any full date of the input', async () => {
    const after = await read(at('Nov 20 23:29:15'), `Nov 20 23:29:16 vm uwsgi[12]: ${REQUEST}`, at('Nov 20 23:29:17', 2));
    expect(times(after)).toEqual(['2026-11-20T23:29:15.000Z', '2026-11-20T23:29:17.000Z']);
    expect(oddities(after)).toEqual([]);
    const before = await read(REQUEST, at('Nov 20 23:29:17'));
    expect(times(before)).toEqual(['2026-11-20T23:29:17.000Z']);
    const dated = await read(at('Dec 31 23:59:59'), `Jan  1 00:00:02 vm uwsgi[12]: Fri Jan  1 00:00:01 2027 - ${MERCY}`);
    expect(times(dated)).toEqual(['2026-12-31T23:59:59.000Z', '2027-01-01T00:00:01.000Z']);
  });

  test('are counted where there is none', async () => {
    const timeline = await read(
      at('Dec 31 23:59:59'),
      at('Jan  1 00:00:01', 2),
      at('Dec 31 23:59:58', 3),
      at('Jul  1 00:00:00', 4),
    );
    const [first = 0, second = 0, third = 0, fourth = 0] = timeline.events.map((event) => event.at.earliest ?? 0);
    expect(second - first).toBe(2000);
    expect(first - third).toBe(1000);
    expect(fourth).toBeGreaterThan(second);
    expect(oddities(timeline)).toEqual(['the log tells no year']);
    expect(timeline.inputs[0]?.zone).toBeNull();
  });

  test('29 February, and days that do not exist', async () => {
    expect(times(await read(at('Feb 28 23:59:59'), at('Feb 29 00:00:01', 2)))).not.toContain(null);
    expect(times(await read(at('Feb 30 00:00:01')))).toEqual([null]);
    expect(times(await read(at('Nov 20 25:00:01')))).toEqual([null]);
  });
});

describe('clocks', () => {
  test('that differ by whole hours are not mixed', async () => {
    const timeline = await read(
      `2026-11-20T22:29:16.100000000Z ${SPAWNED}`,
      `2026-11-20T22:29:17.200000000Z Fri Nov 20 23:29:17 2026 - ${MERCY}`,
      `2026-11-20T22:29:18.300000000Z ${REQUEST.replace('23:29:16', '23:29:18')}`,
      `2026-11-20T22:29:19.400000000Z worker 1 buried after 1 seconds`,
    );
    expect(times(timeline)).toEqual(['2026-11-20T22:29:16.100Z', '2026-11-20T22:29:17.200Z', '2026-11-20T22:29:19.400Z']);
    expect(oddities(timeline)).toEqual(["the supervisor's clock is 1 h off the envelope's"]);
    expect(timeline.inputs[0]?.zone).toBe('UTC');
    expect(timeline.inputs[0]?.to).toBe(Date.parse('2026-11-20T22:29:19Z'));
  });

  test('half hours count, minutes do not', async () => {
    expect(times(await read(`2026-11-20T17:59:17Z Fri Nov 20 23:29:17 2026 - ${MERCY}`))).toEqual(['2026-11-20T17:59:17.000Z']);
    expect(times(await read(`2026-11-20T23:36:00Z Fri Nov 20 23:29:17 2026 - ${MERCY}`))).toEqual(['2026-11-20T23:29:17.000Z']);
  });

  test('offsets, with and without a colon, negative, of half an hour', async () => {
    for (const [stamp, utc] of [
      ['2026-11-20T20:00:00-0330', '2026-11-20T23:30:00.000Z'],
      ['2026-11-20T20:00:00+05:30', '2026-11-20T14:30:00.000Z'],
      ['20/Nov/2026:20:00:00 +0000', '2026-11-20T20:00:00.000Z'],
      ['1795204800', '2026-11-20T20:00:00.000Z'],
      ['1795204800123', '2026-11-20T20:00:00.123Z'],
      ['11/20/2026, 12:00:10 AM', '2026-11-20T00:00:10.000Z'],
      ['11/20/2026, 12:00:10 PM', '2026-11-20T12:00:10.000Z'],
    ]) {
      expect(times(await read(`${stamp} ${SPAWNED}`)), stamp).toEqual([utc]);
    }
    for (const stamp of ['20/11/2026 20:00:00', '3/4/2026, 8:00:00 pm']) {
      expect(times(await read(`${stamp} ${SPAWNED}`)), stamp).toEqual([null]);
    }
  });
});

describe('containers', () => {
  test('a line in very many parts', async () => {
    const part = '2026-11-20T23:29:16Z stdout P x';
    const timeline = await read(...Array<string>(50_000).fill(part), `2026-11-20T23:29:16Z stdout F ${SPAWNED}`, SPAWNED);
    expect(said(timeline)).toEqual(Array(2).fill('uwsgi/worker-spawned 7'));
  });

  test('a line in parts', async () => {
    const part = (log: string, stream = 'stdout') => JSON.stringify({log, stream, time: '2026-11-20T23:29:16Z'});
    const timeline = await read(
      part('hello\n'),
      part(SPAWNED.slice(0, 20)),
      part(`${SPAWNED.slice(20)}\n`),
      part('the last has no en'),
    );
    expect(said(timeline)).toEqual(['uwsgi/worker-spawned 7']);
    expect(counts(timeline)).toMatchObject({events: 1, application: 2, noise: 1});
    const cri = (tag: string, text: string, stream = 'stdout') => `2026-11-20T23:29:16Z ${stream} ${tag} ${text}`;
    const mixed = await read(
      cri('P', SPAWNED.slice(0, 9)),
      cri('F', 'between', 'stderr'),
      cri('P', SPAWNED.slice(9, 20)),
      cri('F', SPAWNED.slice(20)),
      cri('P', SPAWNED),
    );
    expect(said(mixed)).toEqual(Array(2).fill('uwsgi/worker-spawned 7'));
  });

  test('lines without line ends of a collector are whole lines', async () => {
    const line = (log: string) => JSON.stringify({log, stream: 'stdout', time: '2026-11-20T23:29:16Z'});
    expect(said(await read(line(SPAWNED), line(SPAWNED), line('x')))).toHaveLength(2);
  });

  test('equal process ids in several containers are several streams', async () => {
    const timeline = await read(
      `web-1  | ${SPAWNED}`,
      `web-2  | ${SPAWNED}`,
      `[pod/a-b/c] ${SPAWNED}`,
      `2026-11-20T23:29:16+00:00 app[web.1]: ${SPAWNED}`,
    );
    expect(streams(timeline)).toEqual(['web-1', 'web-2', 'a-b/c', 'app/web.1']);
  });

  test('a bar in a message, an empty message', async () => {
    const timeline = await read(
      'web-1  | a | b',
      'web-1  |',
      'web-1  | ',
      `web-1  | ${SPAWNED}`,
      '2026-11-20T23:29:16Z stdout F ',
    );
    expect(counts(timeline)).toMatchObject({events: 1, noise: 3, application: 1});
  });

  test('newest first, in one document', async () => {
    const entry = (time: string, n: number) => ({textPayload: SPAWNED.replace('7', String(n)), timestamp: time});
    const timeline = await read(JSON.stringify([entry('2026-11-20T23:29:17Z', 8), entry('2026-11-20T23:29:16Z', 7)]));
    expect(said(timeline)).toEqual(['uwsgi/worker-spawned 7', 'uwsgi/worker-spawned 8']);
    expect(counts(timeline)).toMatchObject({events: 1});
  });

  test('an envelope in an envelope in an envelope, and no end of it', async () => {
    let line = SPAWNED;
    for (let depth = 0; depth < 3; depth++)
      line = JSON.stringify({log: `${line}\n`, stream: 'stdout', time: '2026-11-20T23:29:16Z'});
    expect(said(await read(line))).toEqual(['uwsgi/worker-spawned 7']);
    for (let depth = 0; depth < 12; depth++) line = JSON.stringify({message: line});
    expect(said(await read(line, `${'> web-1  | '.repeat(50)}${SPAWNED}`.slice(0, 40), SPAWNED))).toContain(
      'uwsgi/worker-spawned 7',
    );
  });
});

describe('what tools write around a line', () => {
  const AT = '2026-11-20T23:29:17.123Z';

  test('klog: a date without a year, the thread, the line of the source', async () => {
    const timeline = await read(
      'I1120 23:29:16.123456    1234 kuberuntime_container.go:745] "Killing container with a grace period" pod="shop/web-1" podUID=9f1c containerName="web" containerID="containerd://9f1c" gracePeriod=30',
      `2026-11-20T23:29:17Z stdout F ${SPAWNED}`,
    );
    expect(timeline.events.map(({message}) => message)).toEqual(['container/grace-began', 'uwsgi/worker-spawned']);
    expect(times(timeline)[0]).toBe('2026-11-20T23:29:16.123Z');
  });

  test('GitHub: job and step, with a mark in front of the first line', async () => {
    const timeline = await read(
      `test (3.11)\tUNKNOWN STEP\t\ufeff2026-11-20T23:29:17.1234567Z ##[group]Run tests`,
      `test (3.11)\tRun tests\t2026-11-20T23:29:17.1234567Z ${SPAWNED}`,
      `lint\tRun tests\t2026-11-20T23:29:17.1234567Z ${SPAWNED}`,
    );
    expect(times(timeline)).toEqual([AT, AT]);
    expect(streams(timeline)).toEqual(['test (3.11)', 'lint']);
  });

  test('aws logs tail: JSON spread over lines below its time', async () => {
    const timeline = await read(`2026-11-20T23:29:17.123000+00:00 ecs/web/1f3c5d {`, `    "message": "${SPAWNED}"`, '}');
    expect(times(timeline)).toEqual([AT]);
    expect(streams(timeline)).toEqual(['ecs/web/1f3c5d']);
  });

  test('Fluent Bit before 2.1, with keys behind the text', async () => {
    const timeline = await read(
      `[0] kube.web: [1795217357.123456789, {"log"=>"${SPAWNED}", "stream"=>"stderr"}]`,
      `[1] kube.web: [[1795217357.123456789, {}], {"stream"=>"stderr", "log"=>"${SPAWNED}"}]`,
    );
    expect(times(timeline)).toEqual([AT, AT]);
  });

  test('syslog with NULs for line ends', async () => {
    const timeline = await read(`<30>Nov 20 23:29:16 vm uwsgi[4]: ${SPAWNED}\0<30>Nov 20 23:29:18 vm uwsgi[4]: ${SPAWNED}\0`);
    const [first, second] = timeline.events.map(({at}) => at.earliest ?? 0);
    expect((second ?? 0) - (first ?? 0)).toBe(2000);
  });

  test('syslog records with their lengths, one behind the other', async () => {
    const record = (time: string) => {
      const text = `<40>1 ${time} host app web.3 - ${SPAWNED}`;
      return `${text.length} ${text}`;
    };
    const timeline = await read(`${record('2026-11-20T23:29:16+00:00')}${record('2026-11-20T23:29:17.123+00:00')}`);
    expect(times(timeline)).toEqual(['2026-11-20T23:29:16.000Z', AT]);
  });
});

describe('one giant line', () => {
  test('of a JSON encoder without line ends', async () => {
    const objects = Array.from({length: 20_000}, (_, n) =>
      JSON.stringify({unix: 1795217356 + n, msg: n % 1000 === 0 ? `${SPAWNED} ` : `{n} "${n}" ${'x'.repeat(60)}`}),
    );
    const timeline = await read(objects.join(''));
    expect(said(timeline)).toHaveLength(20);
    expect(counts(timeline)).toEqual({events: 1, requests: 0, noise: 0, application: 0, unknown: 0});
    expect(times(timeline)[1]).toBe(new Date((1795217356 + 1000) * 1000).toISOString());
  });

  test('of messages without line ends', async () => {
    const asked = (n: number) => `Gracefully killing worker ${n} (pid: ${n})... `;
    const messages = Array.from({length: 60_000}, (_, n) => (n % 100 === 0 ? asked(n) : REQUEST.replaceAll('7', '8')));
    const timeline = await read(messages.join(''), 'the next line');
    expect(said(timeline)).toHaveLength(600);
    expect(timeline.events.map(({pid}) => pid)).toEqual(Array.from({length: 600}, (_, n) => n * 100));
    const requests = timeline.instances.flatMap(({processes}) => processes).reduce((sum, {requests: served}) => sum + served, 0);
    expect(requests).toBe(59_400);
    expect(counts(timeline)).toMatchObject({events: 1, application: 1});
  });

  test('of what begins like messages', async () => {
    for (const text of ['spawned uWSGI worker 1 (pid: 7, ', 'worker 1 buried after ', 'Gracefully killing worker 1 (pid: '])
      expect((await read(text.repeat(2_500_000 / text.length), SPAWNED)).inputs[0]?.lines, text).toBe(2);
  });

  test('of nothing', async () => {
    for (const text of ['x', '{', '{"a', '[', '{}', '\0', '> ', '#012']) {
      expect((await read(text.repeat(2_500_000 / text.length), SPAWNED)).inputs[0]?.lines, text).toBe(2);
    }
  });
});

describe('text that people pasted', () => {
  test('quote marks, line numbers, indentation, key echoes, comments', async () => {
    const timeline = await read(
      'so I did a reload and then',
      '```',
      `> ${SPAWNED}`,
      `12:${SPAWNED}`,
      `uwsgi.log:123:${SPAWNED}`,
      `    ${SPAWNED}`,
      `\t${SPAWNED}`,
      `^C${SPAWNED}`,
      '^C',
      '```',
      '--',
    );
    expect(said(timeline)).toHaveLength(6);
    expect(counts(timeline)).toMatchObject({application: 1, noise: 4});
  });

  test('what a tool puts at the ends of lines is in no value', async () => {
    const lines = [
      '[2026-11-20 23:15:42 +0000] [7] [INFO] Starting gunicorn 21.2.0',
      '[2026-11-20 23:15:42 +0000] [7] [INFO] Using worker: sync',
      '[2026-11-20 23:15:43 +0000] [8] [ERROR] Error handling request /slow',
      `Fri Nov 20 23:29:17 2026 - ${MERCY}`,
    ];
    const fields = ({events}: Timeline) => events.map((event) => [event.message, event.fields]);
    const plain = await read(...lines);
    for (const mark of ['$', '^M$', '^M', '<br>', '<br/>', '<BR /> ', '\\']) {
      const marked = await read(...lines.map((line) => line + mark));
      expect(fields(marked), mark).toEqual(fields(plain));
      expect(oddities(marked), mark).toContain('marks that a tool put at the ends of lines');
    }
    const once = await read(...lines.map((line, index) => (index === 1 ? `${line}$` : line)));
    expect(oddities(once)).toEqual([]);
  });

  test('remarks behind lines are no part of them', async () => {
    const timeline = await read(
      `${SPAWNED}    <---- here it starts`,
      `${SPAWNED} # fine`,
      `${SPAWNED}   // again`,
      `${SPAWNED} \u2190 and here`,
      `${SPAWNED} <=== ???`,
      `Fri Nov 20 23:29:17 2026 - ${MERCY}   <-- why?`,
      'our own words   <-- why?',
    );
    expect(said(timeline)).toEqual([...Array(5).fill('uwsgi/worker-spawned 7'), 'uwsgi/no-mercy 7']);
    expect(timeline.events.map(({text}) => text)).not.toContainEqual(expect.stringMatching(/here|fine|again|why/));
    expect(counts(timeline)).toMatchObject({application: 1, unknown: 0});
  });

  test('a supervisor’s words in front of which no date stands are somebody else’s', async () => {
    expect(counts(await read(SPAWNED, MERCY))).toMatchObject({events: 1, unknown: 1});
    expect(counts(await read(SPAWNED, `> ${MERCY}`))).toMatchObject({events: 1, unknown: 1});
    expect(counts(await read(SPAWNED, `> Fri Nov 20 23:29:17 2026 - ${MERCY}`))).toMatchObject({events: 2});
  });

  test('the output of a child below supervisord’s line', async () => {
    const timeline = await read(
      "2026-11-20 23:25:37,075 DEBG 'uwsgi' stdout output:",
      SPAWNED,
      '',
      REQUEST,
      '2026-11-20 23:25:40,000 INFO web 12 an application may date its lines as supervisord does',
      REQUEST,
      '2026-11-20 23:25:41,000 INFO exited: uwsgi (exit status 0; expected)',
      'worker 1 buried after 1 seconds',
    );
    expect(times(timeline)[0]).toBe('2026-11-20T23:25:37.075Z');
    expect(streams(timeline)).toEqual(['uwsgi', null, null]);
  });
});

describe('bytes', () => {
  test('a byte order mark, NUL, CR, colours around and inside envelopes', async () => {
    const timeline = await read(
      `\ufeffNov 20 23:29:16 vm uwsgi[12]: ${SPAWNED}`,
      `${'\0'.repeat(5000)}Nov 20 23:29:16 vm uwsgi[12]: ${SPAWNED}`,
      `Nov 20 23:29:16 vm uwsgi[12]: ${SPAWNED}\r`,
      `\x1b[36mweb-1  |\x1b[0m \x1b[1m${SPAWNED}\x1b[0m`,
      `{"log":"\\u001b[1m${SPAWNED}\\r\\n","stream":"stdout","time":"x"}`,
    );
    expect(said(timeline)).toEqual(Array(5).fill('uwsgi/worker-spawned 7'));
  });

  test('broken UTF-8 in JSON, deep JSON, half of JSON', async () => {
    const timeline = await read(
      Buffer.concat([
        Buffer.from('{"log":"'),
        Buffer.from([0xff, 0xfe, 0xc3]),
        Buffer.from('\\n","stream":"stdout","time":"2026-11-20T23:29:16Z"}'),
      ]),
      `${'['.repeat(20_000)}`,
      `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`,
      '{"log":"half',
      '{"log":null,"stream":1,"time":2}',
      '{"timestamp":1e999,"message":7}',
      `{"message":"${SPAWNED}","timestamp":"never"}`,
      `{"message":"${SPAWNED}","timestamp":99999999999999999999}`,
      `{"message":"","timestamp":1}`,
    );
    expect(said(timeline)).toEqual(Array(2).fill('uwsgi/worker-spawned 7'));
  });

  test('noise of every kind, behind every envelope', async () => {
    const fronts = [
      '',
      'Nov 20 23:29:16 vm uwsgi[12]: ',
      '2026-11-20T23:29:16Z stdout P ',
      '{"log":"',
      '<30>1 ',
      '[',
      '__CURSOR=',
      '    ',
      '> ',
      '@400000006b00dbfe1133212c ',
      '\x1e',
      'data: {',
    ];
    let seed = 42;
    const random = (below: number) => (seed = (seed * 1103515245 + 12345) % 2147483648) % below;
    const lines = Array.from({length: 4000}, () => {
      const noise = Buffer.from(Array.from({length: random(60)}, () => random(256)).filter((byte) => byte !== 10));
      return Buffer.concat([
        Buffer.from(fronts[random(fronts.length)] as string),
        random(3) === 0 ? Buffer.from(SPAWNED) : noise,
      ]);
    });
    expect((await read(...lines)).events.length).toBeGreaterThan(0);
  });

  test('every way to cut lines short', async () => {
    const lines = [
      'Nov 20 23:29:16 vm uwsgi[12]: x',
      '<30>1 2026-11-20T23:46:58.751564+00:00 vm uwsgi 42 - [a@1 b="c"] x',
      'Fri 2026-11-20 23:30:02.197989 UTC [s=b;i=4]',
      '2026-11-20T23:29:16.271501321Z stdout F x',
      '[pod/web/uwsgi] 2026-11-20T23:29:16Z x',
      '[0] kube.web: [[1700000000.1, {}], {"log"=>"x\\"", "a"=>"b"}]',
      '{"log":"x\\n","stream":"stdout","time":"2026-11-20T23:29:16Z"}',
      '@400000006b00dbfe1133212c x',
      "2026-11-20 23:25:37,075 DEBG 'uwsgi' stdout output:",
      '11/20/2026, 11:21:10 PM',
      '[ 2121.159096 <    0.100734 >] vm x',
      'Nov 20 23:29:16 vm message repeated 3 times: [ x]',
    ];
    for (const line of lines) await read(...Array.from({length: line.length + 1}, (_, length) => line.slice(0, length)), SPAWNED);
  });
});

test('dots without a line end and a message with a slash are no name of a stream', async () => {
  const timeline = await read(
    `2026-11-21T23:47:53.898000000Z ${SPAWNED}`,
    '2026-11-21T23:47:55.400000000Z ............SIGINT/SIGTERM received...killing workers...',
  );
  expect(streams(timeline)).toEqual([null, null]);
});

describe('records in JSON behind a name', () => {
  test('that hold dated lines are read, and not for ever', async () => {
    const record = (text: string) => `shop-1  | {"unix":1795306299,"msg":"2026-11-22 00:11:38 - ${text}"}`;
    const timeline = await read(
      ...['machine: x86_64', 'clock source: unix', 'pcre jit disabled', 'detected number of CPU cores: 2'].map(record),
    );
    expect(timeline.inputs[0]?.lines).toBe(4);
  });

  test('that tell the year stay in it where the envelope tells none', async () => {
    const front = 'Nov 22 00:02:33 vm uwsgi[17]: ';
    const timeline = await read(
      `${front}[uWSGI] getting INI configuration from uwsgi.ini`,
      `${front}shop - [log-encoder] registered nl`,
      `${front}{"unix":1795305753,"msg":"shop - *** Starting uWSGI 2.0.21 (64bit) on [Sun Nov 22 00:02:33 2026] ***"}`,
    );
    expect(times(timeline)).toEqual(['2026-11-22T00:02:33.000Z', '2026-11-22T00:02:33.000Z']);
  });
});
