import {describe, expect, test} from 'vitest';
import {recordedLines, type TimedLine} from '../envelope/plain-run.ts';
import {type Judged, judged, judgedAll} from './judged.ts';

/** A reload in which three idle workers are forced; a healthy one; the reload of a gunicorn that a thread holds. */
const HELD = recordedLines('uwsgi-idle-workers-held');
const HEALTHY = recordedLines('uwsgi-healthy-reload');
const HUP = recordedLines('gunicorn-hup-held-by-thread');
const FORCED = [19380, 19381, 19388];

const texts = (lines: readonly TimedLine[]) => lines.map(({text}) => text);
const rfc3339 = (time: number) => new Date(time).toISOString();
const forcedIn = ({processes}: Judged) =>
  processes
    .filter(({end}) => end === 'forced')
    .map(({pid}) => pid)
    .sort();
const rulesIn = ({findings}: Judged) => findings.map((each) => each.split(' ')[0]);
/** What is said to be proved and to be a trouble; that a log does not tell something is none. */
const certain = ({diagnosis}: Judged) =>
  diagnosis.findings.filter(({confidence, severity}) => confidence === 'certain' && severity !== 'info').map(({rule}) => rule);
const gunicorn = (second: number, pid: number, text: string, level = 'INFO') =>
  `[2026-11-20 23:00:${String(second).padStart(2, '0')} +0000] [${pid}] [${level}] ${text}`;

describe('several servers in one file', () => {
  test('three containers with equal pids, of which one is held', async () => {
    const other = (name: string, line: string) => `${name}-1  | ${line}`;
    const log = await judged(
      ...HELD.flatMap(({text}, n) => [
        other('a', text),
        ...(HEALTHY[n] === undefined ? [] : [other('b', HEALTHY[n].text), other('c', HEALTHY[n].text)]),
      ]),
    );
    expect(log.timeline.instances).toHaveLength(3);
    expect(forcedIn(log)).toEqual(FORCED);
    expect(new Set(log.diagnosis.findings.flatMap(({pids}) => pids))).toEqual(new Set(FORCED));
  });

  test('tail shows parts of two files by turns', async () => {
    const half = Math.floor(HELD.length / 2);
    const cut = Math.floor(HEALTHY.length / 3);
    const log = await judged(
      '==> /var/log/uwsgi/a.log <==',
      ...texts(HELD.slice(0, half)),
      '',
      '==> /var/log/uwsgi/b.log <==',
      ...texts(HEALTHY.slice(0, cut)),
      '',
      '==> /var/log/uwsgi/a.log <==',
      ...texts(HELD.slice(half)),
      '',
      '==> /var/log/uwsgi/b.log <==',
      ...texts(HEALTHY.slice(cut)),
    );
    expect(log.timeline.instances).toHaveLength(2);
    expect(forcedIn(log)).toEqual(FORCED);
    expect(new Set(log.timeline.events.map(({stream}) => stream))).toEqual(
      new Set(['/var/log/uwsgi/a.log', '/var/log/uwsgi/b.log']),
    );
  });

  test('a gunicorn and a uWSGI, line by line', async () => {
    const both = [...HELD, ...HUP.map(({text, time}) => ({text, time: time - (HUP[0]?.time ?? 0) + (HELD[0]?.time ?? 0)}))];
    const log = await judged(
      ...both.toSorted((a, b) => a.time - b.time).map(({text, time}) => `${rfc3339(time)} vm shop[1]: ${text}`),
    );
    expect(log.timeline.instances.map(({supervisor}) => supervisor).sort()).toEqual(['gunicorn', 'uwsgi']);
    expect(forcedIn(log).filter((pid) => FORCED.includes(pid))).toEqual(FORCED);
  });

  test('the same program on two hosts', async () => {
    const log = await judged(
      ...HELD.flatMap(({text, time}) => [`${rfc3339(time)} web1 uwsgi[1]: ${text}`, `${rfc3339(time)} web2 uwsgi[1]: ${text}`]),
    );
    expect(log.timeline.instances).toHaveLength(2);
    expect(forcedIn(log)).toEqual([...FORCED, ...FORCED].sort());
    expect(log.header).not.toMatch(/two sinks/);
  });
});

describe('cut', () => {
  test('in the middle of a line at both ends', async () => {
    const whole = texts(HELD).join('\n');
    const from = whole.indexOf('worker 2 (pid: 19381, cores') + 3;
    const to = whole.lastIndexOf('worker 3 buried') + 8;
    const log = await judged(whole.slice(from, to));
    expect(forcedIn(log)).toEqual(FORCED);
    expect(certain(log)).toEqual([]);
    expect(log.verdict).not.toMatch(/^No trouble/);
  });

  test('after the first NO MERCY', async () => {
    const at = HELD.findIndex(({text}) => text.includes('NO MERCY'));
    const log = await judged(...texts(HELD.slice(0, at + 1)));
    expect(forcedIn(log)).toEqual([19380]);
    expect(log.timeline.reloads.map(({outcome}) => outcome)).toEqual(['unfinished']);
  });

  test('before the line that tells what began', async () => {
    const at = HELD.findIndex(({text}) => text.includes('NO MERCY'));
    const log = await judged(...texts(HELD.slice(at)));
    expect(forcedIn(log)).toEqual(FORCED);
    expect(log.timeline.reloads).toHaveLength(1);
    expect(log.timeline.reloads[0]?.headless).toBe(true);
  });

  test('two pastes of the same log that overlap', async () => {
    const lines = HELD.map(({text, time}) => `${rfc3339(time)} ${text}`);
    const log = await judgedAll([lines.slice(0, 60), lines.slice(30)]);
    expect(forcedIn(log)).toEqual(FORCED);
    expect(log.timeline.instances).toHaveLength(1);
  });

  test('every line cut at 80 columns, as ps and less -S do: what is lost is not made up', async () => {
    const log = await judged(...texts(HELD).map((line) => line.slice(0, 80)));
    expect(certain(log)).toEqual([]);
    expect(log.processes.filter(({role}) => role === 'worker').map(({pid}) => pid)).toEqual(expect.arrayContaining(FORCED));
    expect(log.header).toMatch(/[1-9]\d* (unknown|of the application)/);
  });
});

describe('mixed up', () => {
  test('tracebacks without an end in front of lines of the master', async () => {
    const log = await judged(
      ...texts(HELD).map((line, n) => (/^(worker \d|Gracefully)/.test(line) ? `ValueError: bad value ${n}${line}` : line)),
    );
    expect(forcedIn(log)).toEqual(FORCED);
    expect(log.header).toContain('messages behind other text in one line');
  });

  test('a line of another process in the middle of a line', async () => {
    const request = HELD.find(({text}) => text.startsWith('[pid: '))?.text ?? '';
    const log = await judged(
      ...texts(HELD).flatMap((line) =>
        line.startsWith('worker 2 buried') ? [`worker 2 bur${request}`, 'ied after 1 seconds'] : [line],
      ),
    );
    expect(forcedIn(log)).toEqual(FORCED);
    expect(log.processes.find(({pid}) => pid === 19381)?.end).toBe('forced');
  });

  test('two sinks with clocks of two zones', async () => {
    const log = await judgedAll([
      HELD.map(({text, time}) => `${rfc3339(time)} ${text}`),
      HELD.map(({text, time}) => `${rfc3339(time + 3_600_000).slice(0, 23)}+01:00 vm uwsgi[1]: ${text}`),
    ]);
    expect(forcedIn(log)).toEqual(FORCED);
    expect(log.timeline.instances).toHaveLength(1);
  });

  test('the newest first, with a traceback in each record', async () => {
    const lines = HELD.map(({text, time}, n) =>
      JSON.stringify({
        timestamp: rfc3339(time),
        message: n % 7 === 0 ? `${text}\nTraceback (most recent call last):\nKeyError: 'a'` : text,
      }),
    ).toReversed();
    const log = await judged(...lines);
    expect(forcedIn(log)).toEqual(FORCED);
    expect(log.header).toContain('newest line comes first');
  });

  test('the newest first, without any time', async () => {
    const log = await judged(
      ...texts(HELD)
        .filter((line) => !/^\[pid/.test(line))
        .map((line) => line.replace(/^Sat Nov 21 \S+ 2026 - /, ''))
        .toReversed(),
    );
    expect(certain(log)).toEqual([]);
  });

  test('lines in random order have no certain finding', async () => {
    const random = HELD.map(({text, time}, n) => ({text, time, key: (n * 7919) % HELD.length})).toSorted((a, b) => a.key - b.key);
    const log = await judged(...random.map(({text}) => text));
    expect(certain(log)).toEqual([]);
  });

  test('lines in random order, each with its time, are put in order by nobody, and nothing certain follows', async () => {
    const random = HELD.map(({text, time}, n) => ({text, time, key: (n * 7919) % HELD.length})).toSorted((a, b) => a.key - b.key);
    const log = await judged(...random.map(({text, time}) => `${rfc3339(time)} ${text}`));
    expect(certain(log)).toEqual([]);
  });
});

describe('line ends that are lost', () => {
  const status = [
    '● gunicorn.service - gunicorn daemon',
    'Loaded: loaded (/etc/systemd/system/gunicorn.service; disabled; vendor preset: enabled)',
    'Active: failed (Result: exit-code) since Mon 2020-02-24 07:48:05 UTC; 5s ago',
    'Main PID: 4846 (code=exited, status=3)',
    'Feb 24 07:48:05 vm systemd[1]: gunicorn.service: Main process exited, code=exited, status=3/NOTIMPLEMENTED',
    "Feb 24 07:48:05 vm systemd[1]: gunicorn.service: Failed with result 'exit-code'.",
  ];

  test('a whole systemctl status in one line', async () => {
    const log = await judged(status.join(' '));
    const lines = await judged(...status);
    expect(log.said).toEqual(lines.said);
    expect(log.findings).toEqual(lines.findings);
    expect(log.verdict).toBe(lines.verdict);
    expect(log.header).toContain('taken apart where the front of another begins');
  });

  test('a gunicorn in one line, and a supervisord', async () => {
    const hup = await judged(...texts(HUP));
    const one = await judged(texts(HUP).join(' '));
    // What a traceback printed on lines of its own has no front to be told by.
    const own = (said: readonly string[]) => said.filter((each) => !each.startsWith('application/'));
    expect(own(one.said)).toEqual(own(hup.said));
    expect(one.processes.map(({pid, end}) => [pid, end])).toEqual(hup.processes.map(({pid, end}) => [pid, end]));
    const starts = [
      "2026-11-20 23:25:37,075 INFO spawned: 'web' with pid 12",
      '2026-11-20 23:25:38,075 INFO success: web entered RUNNING state, process has stayed up for > than 1 seconds (startsecs)',
      '2026-11-20 23:25:39,075 WARN exited: web (exit status 1; not expected)',
    ];
    expect((await judged(starts.join(' '))).said).toEqual((await judged(...starts)).said);
  });

  test('a stamp in a sentence begins no line', async () => {
    const log = await judged(
      '[2026-11-20 23:00:00 +0000] [10] [ERROR] Error handling request /report?from=2026-11-20 23:00:00 and more, since 2026-11-19 10:00:00 all was well',
    );
    expect(log.timeline.inputs[0]?.lines).toBe(1);
    expect(log.header).not.toContain('taken apart');
  });
});

describe('bytes', () => {
  test('NULs in the middle of a line', async () => {
    const log = await judged(
      ...texts(HELD).map((line) =>
        line.startsWith('worker 2 buried')
          ? Buffer.concat([Buffer.from(line.slice(0, 7)), Buffer.alloc(1), Buffer.from(line.slice(7))])
          : line,
      ),
    );
    expect(forcedIn(log)).toEqual(FORCED);
    expect(log.header).toContain('NUL');
  });

  test('half of the file in UTF-16, as a shell appends to it', async () => {
    const half = 45;
    const log = await judged(
      ...texts(HELD.slice(0, half)),
      ...texts(HELD.slice(half)).map((line) => Buffer.from(`${line}\r`, 'utf16le')),
    );
    expect(forcedIn(log)).toEqual(FORCED);
    expect(log.header).toContain('NUL bytes');
  });

  test('every byte from 128 on in front of a line', async () => {
    const log = await judged(
      ...texts(HELD).map((line, n) =>
        line.startsWith('worker ') ? Buffer.concat([Buffer.from([128 + (n % 128)]), Buffer.from(line)]) : line,
      ),
    );
    expect(forcedIn(log)).toEqual(FORCED);
  });

  test('titles of a terminal, cursor movements, links', async () => {
    const log = await judged(
      ...texts(HELD).map((line) => `\x1b]0;uwsgi\x07\x1b[2K\x1b[1G\x1b]8;;http://x\x1b\\${line}\x1b]8;;\x1b\\\x1b(B`),
    );
    expect(forcedIn(log)).toEqual(FORCED);
    expect(log.header).toContain('terminal control sequences');
  });
});

describe('what looks like a server and is none', () => {
  test('a test log of an application that checks these very messages', async () => {
    const log = await judged(
      '============================= test session starts ==============================',
      'tests/test_parse.py::test_killed PASSED',
      "E       AssertionError: assert 'worker 1 killed successfully (pid: 5)' == 'worker 1 killed'",
      'DEBUG    parser:parse.py:12 got "spawned uWSGI worker 1 (pid: 7, cores: 1)"',
      "INFO     parser:parse.py:13 line='[2026-11-20 23:00:00 +0000] [7] [INFO] Booting worker with pid: 7'",
      '=========================== short test summary info ============================',
    );
    expect(log.timeline.instances).toEqual([]);
    expect(log.verdict).toMatch(/^Not understood/);
  });

  test('a shell history and a manual', async () => {
    const log = await judged(
      '  501  uwsgi --ini shop.ini',
      '  502  kill -HUP $(cat /run/uwsgi.pid)',
      '  503  tail -f /var/log/uwsgi.log | grep "NO MERCY"',
      'reload-mercy  set the maximum time (in seconds) we wait for workers and other processes to die during reload/shutdown',
      'gunicorn logs "[CRITICAL] WORKER TIMEOUT (pid:123)" when a worker has not reported in time.',
    );
    expect(log.findings).toEqual([]);
    expect(log.verdict).toMatch(/^Not understood/);
  });

  test('a log of a program that forwards logs of others', async () => {
    const log = await judged(
      'Nov 20 23:29:16 vm shipper[3]: sent line: Nov 20 23:29:15 vm uwsgi[12]: spawned uWSGI worker 1 (pid: 7, cores: 1)',
      'Nov 20 23:29:17 vm shipper[3]: dropped: "worker 1 (pid: 7) is taking too much time to die...NO MERCY !!!"',
    );
    expect(forcedIn(log)).toEqual([]);
    expect(certain(log)).toEqual([]);
  });

  test('an access log with the words in its paths', async () => {
    const log = await judged(
      '10.0.0.1 - - [20/Nov/2026:23:43:29 +0000] "GET /?q=worker+1+killed+successfully+(pid:+5) HTTP/1.1" 200 2 "-" "curl/8"',
      '10.0.0.1 - - [20/Nov/2026:23:43:30 +0000] "GET /spawned uWSGI worker 1 (pid: 7, cores: 1)" 400 2 "-" "worker 1 buried after 1 seconds"',
    );
    expect(log.said).toEqual([]);
    expect(log.verdict).toMatch(/^Not understood/);
  });
});

describe('lives', () => {
  test('a pid that comes round again while its first bearer is being waited for', async () => {
    const log = await judged(
      gunicorn(0, 1, 'Starting gunicorn 20.1.0'),
      gunicorn(0, 1, 'Listening at: http://127.0.0.1:8000 (1)'),
      gunicorn(0, 7, 'Booting worker with pid: 7'),
      gunicorn(9, 1, 'Handling signal: hup'),
      gunicorn(9, 1, 'Hang up: Master'),
      gunicorn(9, 8, 'Booting worker with pid: 8'),
      gunicorn(9, 7, 'Worker exiting (pid: 7)'),
      gunicorn(20, 7, 'Booting worker with pid: 7'),
      gunicorn(30, 1, 'Handling signal: term'),
      gunicorn(30, 7, 'Worker exiting (pid: 7)'),
      gunicorn(30, 8, 'Worker exiting (pid: 8)'),
      gunicorn(30, 1, 'Shutting down: Master'),
    );
    expect(log.processes.filter(({pid}) => pid === 7)).toHaveLength(2);
    expect(log.findings).toEqual([]);
  });

  test('a hundred restarts of a container with the same pids', async () => {
    const runs = Array.from({length: 100}, (_, n) => [
      gunicorn(n % 60, 1, 'Starting gunicorn 20.1.0').replace('23:00', `${String(Math.floor(n / 60)).padStart(2, '0')}:00`),
    ]).flat();
    const log = await judged(...runs);
    expect(log.timeline.inputs[0]?.counts.events).toBe(100);
    expect(log.findings.filter((each) => each.includes('certain'))).toEqual([]);
  });

  test('a year in which the clock is set back by an hour and by a day', async () => {
    const log = await judged(
      gunicorn(0, 1, 'Starting gunicorn 20.1.0'),
      gunicorn(0, 7, 'Booting worker with pid: 7'),
      gunicorn(5, 1, 'Handling signal: hup').replace('23:00', '22:00'),
      gunicorn(5, 1, 'Hang up: Master').replace('23:00', '22:00'),
      gunicorn(5, 8, 'Booting worker with pid: 8').replace('11-20 23:00', '11-19 22:00'),
      gunicorn(6, 7, 'Worker exiting (pid: 7)').replace('11-20 23:00', '11-19 22:00'),
    );
    expect(certain(log)).toEqual([]);
    for (const {duration} of log.timeline.reloads) expect(duration.min).toBeLessThan(60);
  });

  test('two reloads of which the first has lost its end', async () => {
    const at = HELD.findIndex(({text}) => text.includes('gracefully killing'));
    const log = await judged(...texts(HELD.slice(0, at + 4)), ...texts(HELD.slice(at)));
    expect(forcedIn(log)).toEqual(FORCED);
    expect(rulesIn(log)).toContain('app-threads-block-shutdown');
  });

  test('a comment of a person between two halves of a reload', async () => {
    const at = HELD.findIndex(({text}) => text.includes('NO MERCY'));
    const log = await judged(
      ...texts(HELD.slice(0, at)),
      '',
      '<-- here it hangs for 4 seconds, and then worker 1 is killed:',
      '[...]',
      '(snip)',
      ...texts(HELD.slice(at)),
    );
    expect(forcedIn(log)).toEqual(FORCED);
    expect(log.header).toContain('3 of the application');
  });

  test.each([
    ['a numbered list', (line: string, n: number) => `${n + 1}. ${line}`],
    ['a list of points', (line: string) => `- ${line}`],
    ["GitLab's runner", (line: string, n: number) => `${rfc3339(HELD[n]?.time ?? 0)} 00O ${line}`],
  ])('%s', async (_, put) => {
    const log = await judged(...texts(HELD).map(put));
    expect(forcedIn(log)).toEqual(FORCED);
    expect(log.header).toContain('48 events, 6 requests');
  });

  test('the log of a build with a part of the server log in it', async () => {
    const log = await judged(
      '#12 [app 3/5] RUN pip install uwsgi gunicorn',
      '#12 0.532 Collecting uwsgi',
      ...texts(HELD).map((line, n) => `#13 ${(n / 10 + 1).toFixed(3)} ${line}`),
      '#13 DONE 12.3s',
    );
    expect(forcedIn(log)).toEqual(FORCED);
  });
});
