import {expect, test} from 'vitest';
import {howItEnded} from '../src/report/text/endings.ts';
import {pageFor} from '../src/report/text/page.ts';
import {unserved} from '../src/report/text/unserved.ts';
import {verdict} from '../src/report/verdict.ts';
import {judged} from './hostile/judged.ts';

// What people paste is a piece of a log. What stands before and after it is not known, and nothing may be said of it.

async function timeWithoutWorkers(...lines: string[]): Promise<string> {
  const {timeline} = await judged(...lines);
  return unserved(timeline, pageFor(timeline, {width: 1000, color: false}));
}

test('of workers that an excerpt does not show nobody says that they were not there', async () => {
  const cheaped = [
    'Mon Jan  5 17:37:05 2026 - worker 2 killed successfully (pid: 4697)',
    'Mon Jan  5 17:37:09 2026 - uWSGI worker 2 cheaped.',
  ];
  const recycled = [
    'Mon Jan  5 17:37:05 2026 - ...The work of process 12149 is done. Seeya!',
    'Mon Jan  5 17:37:09 2026 - Respawned uWSGI worker 1 (new pid: 12150)',
    'Mon Jan  5 17:37:09 2026 - ...The work of process 12150 is done. Seeya!',
    'Mon Jan  5 17:37:14 2026 - Respawned uWSGI worker 1 (new pid: 12151)',
  ];
  expect(await timeWithoutWorkers(...cheaped)).toBe('');
  expect(await timeWithoutWorkers(...recycled)).toBe('');
  const start = [
    'Mon Jan  5 17:37:00 2026 - spawned uWSGI master process (pid: 9)',
    'spawned uWSGI worker 1 (pid: 12149, cores: 1)',
  ];
  expect(await timeWithoutWorkers(...start, ...recycled)).toMatch(/without a worker/);
});

test('a strike of harakiri is no end', async () => {
  const strike = 'Mon Jan  5 17:37:05 2026 - *** HARAKIRI ON WORKER 2 (pid: 41, try: 1, graceful: yes) ***';
  const alone = await judged(strike);
  expect(alone.diagnosis.findings[0]?.message).toMatch(/the log shows no end/);
  expect(alone.diagnosis.findings[0]?.against).toEqual([]);
  const ended = await judged(strike, 'DAMN ! worker 2 (pid: 41) died, killed by signal 9 :( trying respawn ...');
  expect(ended.diagnosis.findings[0]?.message).toMatch(/It was ended by it/);
});

test('harakiri cuts no client of a mule, and those of a gateway', async () => {
  const message = async (who: string) => (await judged(`*** HARAKIRI ON ${who} (pid: 41) ***`)).diagnosis.findings[0]?.message;
  expect(await message('MULE 1')).toMatch(/no request of a client is concerned/);
  expect(await message('GATEWAY uWSGI http 1')).toMatch(/connections of clients: those that went through it .* were cut/);
});

test('of a full queue in a chain reload nobody says that there were no workers', async () => {
  const full = 'Mon Jan  5 17:37:05 2026 - *** uWSGI listen queue of socket "127.0.0.1:3031" (fd: 3) full !!! (101/100) ***';
  const message = async (reload: string) => {
    const {diagnosis} = await judged(`Mon Jan  5 17:37:04 2026 - ${reload}`, full);
    return diagnosis.findings.find(({rule}) => rule === 'listen-queue-full')?.message;
  };
  expect(await message('*** reload.txt has been touched... chain reload !!! ***')).toMatch(/the others have more to do/);
  expect(await message('...gracefully killing workers...')).toMatch(/no worker takes requests between the end of the old/);
  expect(await message('SIGINT/SIGTERM received...killing workers...')).toMatch(/no worker takes requests from then on/);
});

test('a process that old versions strike again has not gone of the first strike', async () => {
  const line = (second: number) => `Mon Jan  5 17:37:0${second} 2026 - *** HARAKIRI ON WORKER 4 (pid: 41) ***`;
  const {diagnosis} = await judged(line(1), 'HARAKIRI: -- wchan> nfs_wait_bit_killable', line(3), line(5));
  const [finding] = diagnosis.findings;
  expect(finding).toMatchObject({rule: 'harakiri-kills', confidence: 'certain'});
  expect(finding?.message).toMatch(/3 HARAKIRI lines belong to 1 strike/);
  expect(finding?.message).toMatch(/waited in nfs_wait_bit_killable/);
});

test('workers that only a burial names count as workers', async () => {
  const {header, timeline} = await judged(
    'SIGINT/SIGQUIT received...killing workers...',
    'worker 1 buried after 1 seconds',
    'worker 2 buried after 1 seconds',
    'Fri Mar 29 15:28:04 2024 - worker 3 (pid: 580) is taking too much time to die...NO MERCY !!!',
    'worker 3 buried after 1 seconds',
    'goodbye to uWSGI.',
  );
  expect(header).toMatch(/uWSGI \(uwsgi-1\), 3 workers/);
  expect(timeline.instances.flatMap(({processes}) => processes.map(({worker, end}) => `${worker} ${end}`))).toEqual([
    '1 clean',
    '2 clean',
    '3 forced',
  ]);
});

test('what its handler reports is a crash, whatever its process is and wherever the log ends', async () => {
  const fault = '!!! uWSGI process 812 got Segmentation Fault !!!';
  const alone = await judged(fault);
  expect(alone.findings).toContain('worker-crashed certain 812');
  expect(alone.verdict).toMatch(/^A process crashed/);
  const named = await judged(fault, 'DAMN ! worker 3 (pid: 812) died :( trying respawn ...');
  expect(named.findings).toContain('worker-crashed certain 812');
  expect(named.processes.map(({role, worker}) => `${role} ${worker}`)).toEqual(['worker 3']);
});

test('a program that fails again and again is one program', async () => {
  const {verdict} = await judged(
    "2026-03-07 16:27:57,538 INFO spawned: 'front' with pid 8",
    '2026-03-07 16:27:57,606 INFO exited: front (exit status 1; not expected)',
    "2026-03-07 16:27:59,150 INFO spawned: 'front' with pid 23",
    '2026-03-07 16:27:59,187 INFO exited: front (exit status 1; not expected)',
  );
  expect(verdict).toMatch(/^Program front crashed or left with an exit code 2 times/);
});

test('workers that fall silent together may all have been started together', async () => {
  const lines = [20, 21, 22].flatMap((pid) => [`[2026-03-17 14:33:46 +0000] [1] [CRITICAL] WORKER TIMEOUT (pid:${pid})`]);
  const {diagnosis} = await judged(...lines);
  const start = diagnosis.findings[0]?.against.find(({hypothesis}) => hypothesis.startsWith('a start that takes longer'));
  expect(start?.because).toMatch(/^nothing speaks against it/);
  expect(diagnosis.findings[0]?.fixes[0]?.setting).toBe('worker_tmp_dir');
});

test('a line that begins or ends a code block or bold type is read', async () => {
  const line = 'DAMN ! worker 7 (pid: 1343) died, killed by signal 11 :( trying respawn ...';
  for (const dressed of [
    `\`\`\`${line}`,
    `${line}\`\`\``,
    `**${line}**`,
    `{code}${line}`,
    `${line}{noformat}`,
    `\`\`${line}\`\``,
    `[code]${line}[/code]`,
  ])
    expect((await judged(dressed)).said, dressed).toEqual(['uwsgi/worker-died 1343']);
});

test('a unit that is being stopped when somebody looks is not called healthy', async () => {
  const {verdict} = await judged(
    '● shop.service - The shop',
    '     Loaded: loaded (/etc/systemd/system/shop.service; enabled; vendor preset: enabled)',
    '     Active: deactivating (stop-sigterm) since Wed 2026-01-07 12:11:53 GMT; 12s ago',
    '   Main PID: 2982 (gunicorn)',
  );
  expect(verdict).toMatch(/^Undecided \(a stop was under way and had not ended, as line 3 shows/);
});

test('a worker that leaves for new code, and of whose successor nothing is seen, is undecided', async () => {
  const lines = [
    '[2026-01-20 02:34:16 -0500] [594] [INFO] Worker reloading: /srv/app.py modified',
    '[2026-01-20 02:34:17 -0500] [594] [INFO] Worker exiting (pid: 594)',
  ];
  expect((await judged(...lines)).verdict).toMatch(/^Undecided/);
  expect((await judged(...lines, '[2026-01-20 02:34:18 -0500] [601] [INFO] Booting worker with pid: 601')).verdict).toMatch(
    /^No trouble/,
  );
});

test("facility and level in logread's lines are no host", async () => {
  const {timeline} = await judged('Tue Apr 21 19:42:40 2026 daemon.info uwsgi: Respawned uWSGI worker 2 (new pid: 18736)');
  expect(timeline.instances[0]?.name).toBe('uwsgi');
});

test('an exit code that the server itself gives a meaning is told with it', async () => {
  const {diagnosis} = await judged('2026-04-05 15:45:17,119 INFO exited: uwsgi (exit status 22; not expected)');
  expect(diagnosis.findings[0]?.message).toMatch(/found no application/);
});

test('an arrow behind a line is read as a remark, whatever ends the line', async () => {
  const lines = [
    'INFO:     Shutting down',
    'INFO:     Waiting for connections to close. (CTRL+C to force quit)',
    'ERROR:    Cancel 1 running task(s), timeout graceful shutdown exceeded   <-- one that hangs',
    'INFO:     Finished server process [1169]',
  ];
  const unix = await judged(...lines);
  const windows = await judged(...lines.map((line) => `${line}\r`));
  expect(windows.said).toEqual(unix.said);
  expect(windows.findings).toEqual(unix.findings);
  expect(unix.said).toHaveLength(4);
});

test('dates without a year stand near the last full one, not near the first', async () => {
  const {timeline} = await judged(
    '[2024-03-01 10:00:00 +0000] [7] [INFO] Booting worker with pid: 7',
    'Feb 21 13:50:00 web gunicorn[1152]: [2020-02-21 13:50:00 +0000] [1152] [INFO] Handling signal: term',
    'Feb 21 13:50:30 web systemd[1]: gunicorn.service: Killing process 1152 (gunicorn) with signal SIGKILL.',
    'Feb 21 13:50:30 web gunicorn[1153]: [2020-02-21 13:50:30 +0000] [1153] [INFO] Starting gunicorn 20.0.4',
  );
  const years = timeline.events.map(({at}) => [at.earliest, at.latest].map((time) => time && new Date(time).getUTCFullYear()));
  expect(years).toEqual([2024, 2020, 2020, 2020].map((year) => [year, year]));
});

test('nobody is said to have waited for what was asked after the end, where lines are out of order', async () => {
  const {timeline} = await judged(
    'Mon Jan  5 17:37:00 2026 - spawned uWSGI master process (pid: 9)',
    'Mon Jan  5 17:37:00 2026 - spawned uWSGI worker 1 (pid: 41, cores: 1)',
    'Mon Jan  5 17:38:00 2026 - worker 1 (pid: 41) is taking too much time to die...NO MERCY !!!',
    'Mon Jan  5 17:38:00 2026 - ...gracefully killing workers...',
    'Mon Jan  5 17:38:00 2026 - Gracefully killing worker 1 (pid: 41)...',
  );
  const forced = timeline.instances.flatMap(({processes}) => processes).flatMap(({forced}) => (forced === null ? [] : [forced]));
  expect(forced.map(({patience}) => patience)).toEqual([null]);
});

test('a start that the log cuts off is not called healthy, and neither are workers that only leave', async () => {
  const verdictOn = async (...lines: string[]) => verdict((await judged(...lines)).diagnosis);
  const banner = '*** Starting uWSGI 2.0.14 (64bit) on [Mon Jan  5 17:37:05 2026] ***';
  const bound = ['uWSGI http bound on 0.0.0.0:5000 fd 4', 'spawned uWSGI http 1 (pid: 41)'];
  expect(await verdictOn(banner, ...bound)).toMatch(/^Undecided \(the log ends during the start at line 1\)/);
  expect(await verdictOn(banner, ...bound, 'spawned uWSGI worker 1 (and the only) (pid: 42, cores: 1)')).toMatch(/^No trouble/);
  expect(await verdictOn(banner, '*** starting uWSGI Emperor ***')).toMatch(/^No trouble/);
  const leaves = [1, 2].map((worker) => `worker ${worker} lifetime reached, it was running for 86401 second(s)`);
  expect(await verdictOn(...leaves)).toMatch(/^Undecided \(every worker that this log shows had begun to leave/);
  expect(await verdictOn(...leaves, 'Respawned uWSGI worker 2 (new pid: 43)')).toMatch(/^No trouble/);
  expect(await verdictOn('Mon Jan  5 17:37:05 2026 - error managing signal 6 on worker 16')).toMatch(/line 1 tells of one/);
  expect(await verdictOn('Mon Jan  5 17:37:05 2026 - Fire in the hole !!! (60 seconds to detonation)')).not.toMatch(
    /tells of one/,
  );
});

test('who has no pid in the log is called by its number, and never by the pid 0', async () => {
  const {diagnosis} = await judged(
    'Tue May  5 06:39:09 - worker 4 lifetime reached, it was running for 3901 second(s)',
    'Tue May  5 07:43:22 - worker 5 lifetime reached, it was running for 4001 second(s)',
    'Tue May  5 07:43:23 - Respawned uWSGI worker 5 (new pid: 31122)',
    'Tue May  5 08:43:23 - worker 5 lifetime reached, it was running for 3600 second(s)',
    'Tue May  5 08:43:24 - Respawned uWSGI worker 5 (new pid: 31129)',
  );
  const [finding] = diagnosis.findings;
  expect(finding).toMatchObject({rule: 'worker-never-came-back', workers: [4]});
  expect(finding?.message).toMatch(/Worker 4 of 5 /);
  expect(JSON.stringify([finding, diagnosis.rules])).not.toMatch(/-p 0\b|pid 0\b/);
});

test('a log that begins in the middle of a start is one server', async () => {
  const {timeline} = await judged(
    "WSGI app 0 (mountpoint='') ready in 3 seconds on interpreter 0x55fff51487a0 pid: 1 (default app)",
    'spawned uWSGI master process (pid: 1)',
    'spawned uWSGI worker 1 (pid: 9, cores: 10)',
  );
  expect(timeline.instances).toHaveLength(1);
});

test('processes that die one after the other do not die in the same moment', async () => {
  const killed = (second: number, pid: number) =>
    `[2023-07-17 16:04:${second},404: ERROR/MainProcess] Process 'ForkPoolWorker-${pid - 190}' pid:${pid} exited with 'signal 9 (SIGKILL)'`;
  const messageOf = async (...lines: string[]) => (await judged(...lines)).diagnosis.findings[0]?.message;
  expect(await messageOf(...[31, 33, 34, 35, 36, 38, 39].map((second, n) => killed(second, 338 + n)))).not.toMatch(/same moment/);
  expect(await messageOf(...[338, 339, 340].map((pid) => killed(31, pid)))).toMatch(/3 processes died in the same moment/);
});

test('the life before a loop is a part of it', async () => {
  const life = (second: number) => [
    `2018-04-09 12:51:0${second},396 INFO spawned: 'shop' with pid 2275${second}`,
    `2018-04-09 12:51:0${second},998 INFO exited: shop (exit status 3; not expected)`,
  ];
  const {diagnosis} = await judged(
    '2018-04-09 12:51:00,212 INFO exited: shop (exit status 1; not expected)',
    ...[1, 2, 3, 4].flatMap(life),
  );
  expect(diagnosis.findings.map(({rule}) => rule)).toEqual(['crash-loop']);
});

test('two masters of which each gives up are two starts', async () => {
  const {diagnosis} = await judged(
    '[2016-01-18 20:16:39 +0100] [8144] [INFO] Reason: Worker failed to boot.',
    '[2016-05-02 15:50:57 +0200] [58901] [INFO] Reason: Worker failed to boot.',
  );
  expect(diagnosis.findings.map(({title}) => title)).toEqual(['The application failed to load in 2 starts']);
});

test('a worker that is first known by its number alone is the one whose death names its pid', async () => {
  const {diagnosis, timeline} = await judged(
    'worker 1 lifetime reached, it was running for 86401 second(s)',
    'DAMN ! worker 1 (pid: 161293) MISTERIOUSLY killed by signal 6 :( trying respawn ...',
    'Respawned uWSGI worker 1 (new pid: 181295)',
  );
  expect(timeline.instances.flatMap(({processes}) => processes).map(({pid}) => pid)).toEqual([161293, 181295]);
  expect(diagnosis.findings.filter(({rule}) => rule === 'worker-crashed')).toHaveLength(1);
});

test('what a server says of itself is no health, though no rule is about it', async () => {
  for (const line of [
    'The -s/--socket option is missing and stdin is not a socket.',
    'Mon Jan  5 00:00:02 2026 - logsize: 18446744073709551615, triggering rotation to /srv/errors.log.1767571202...',
    'uWSGI ERROR: /run/shop.lock is locked by another instance',
    '2026-01-05 10:44:54,045 INFO exited: checker (exit status 0; not expected)',
    'ERROR:    Application shutdown failed. Exiting.',
    "hypercorn.utils.LifespanFailureError: Lifespan failure in shutdown. 'the pool is closed'",
  ])
    expect(verdict((await judged(line)).diagnosis), line).toMatch(/^No rule names a trouble, although line 1 tells of one/);
});

test('what log-encoder puts in front of each line is learned', async () => {
  const {said} = await judged(
    '[SHOP]*** Starting uWSGI 2.0.18 (64bit) on [Mon Jan  5 17:37:05 2026] ***',
    '[SHOP]spawned uWSGI master process (pid: 9)',
    '[SHOP]spawned uWSGI worker 1 (pid: 41, cores: 1)',
    '[SHOP]worker 1 buried after 1 seconds',
  );
  expect(said).toHaveLength(4);
});

test('a dyno that Heroku kills is killed for the reason that its lines tell, and for none where they tell none', async () => {
  const ended = async (...before: string[]) => {
    const line = (text: string) => `2026-11-20T20:59:02.661903+00:00 heroku[web.1]: ${text}`;
    const {timeline} = await judged(...[...before, 'Stopping process with SIGKILL', 'Process exited with status 137'].map(line));
    return timeline.instances.flatMap(({processes}) => processes).map(howItEnded);
  };
  const timeout = 'Error R10 (Boot timeout) -> Web process failed to bind to $PORT within 60 seconds of launch';
  expect(await ended()).toEqual(['killed by the platform']);
  expect(await ended(timeout)).toEqual(['killed by the platform: its time was over']);
  expect(await ended('Stopping all processes with SIGTERM')).toEqual(['killed by the platform: stop timeout after 0 s']);
});

test('lines as Docker Desktop copies them are taken apart where they have lost their line ends', async () => {
  const lines = [
    '2026-01-05 17:37:18.020 | 2026-01-05 09:37:18,020 INFO exited: shop (exit status 1; not expected)',
    "2026-01-05 17:37:19.025 | 2026-01-05 09:37:19,024 INFO spawned: 'shop' with pid 425",
    '2026-01-05 17:37:20.607 | 2026-01-05 09:37:20,606 INFO exited: shop (exit status 1; not expected)',
  ];
  expect((await judged(lines.join(' '))).said).toEqual((await judged(...lines)).said);
});

test('the long id of a thread in a line of Apache is no time', async () => {
  const {said} = await judged(
    "[Mon Jan 05 17:37:55.779299 2026] [wsgi:info] [pid 41:tid 140316736169856] mod_wsgi (pid=41): Daemon process request time limit exceeded, stopping process 'shop'.",
    "[Mon Jan 05 17:38:00.779299 2026] [wsgi:info] [pid 41:tid 140316736169856] mod_wsgi (pid=41): Aborting process 'shop'.",
  );
  expect(said).toEqual(['apache/request-limit 41', 'apache/aborting 41']);
});

test('processes of uvicorn that reached their limit, and that nobody replaces, leave nobody to serve', async () => {
  const start = [
    'INFO:     Started parent process [9]',
    'INFO:     Started server process [41]',
    'INFO:     Application startup complete.',
    'WARNING:  Maximum request limit of 100 exceeded. Terminating process.',
    'INFO:     Shutting down',
    'INFO:     Finished server process [41]',
  ];
  expect((await judged(...start)).verdict).toMatch(/^Undecided \(every worker that this log shows had begun to leave/);
  expect((await judged(...start, 'INFO:     Started server process [42]')).verdict).toMatch(/^No trouble/);
});

test('a process of uvicorn that dies before it has said that it started may have started too slowly', async () => {
  const dead = ['INFO:     Waiting for child process [11]', 'INFO:     Child process [11] died'];
  const finding = async (...lines: string[]) => (await judged(...lines)).diagnosis.findings[0];
  const slow = await finding('INFO:     Started parent process [1]', ...dead);
  expect(slow?.against[0]?.because).toMatch(/imports that take longer than 5 s/);
  expect((await finding(...dead))?.message).toMatch(/Whether it had begun to serve, this log does not tell/);
});

test('where every worker was aborted and none is shown to have served, nothing speaks against a slow start', async () => {
  const timeout = (second: number, pid: number) =>
    `[2026-01-05 17:37:${second} +0000] [1] [CRITICAL] WORKER TIMEOUT (pid:${pid})`;
  const because = async (...lines: string[]) =>
    (await judged(...lines)).diagnosis.findings[0]?.against.find(({hypothesis}) =>
      hypothesis.startsWith('a start that takes longer'),
    )?.because;
  const both = [timeout(10, 20), timeout(33, 21)];
  expect(await because(...both)).toMatch(/^nothing speaks against it: every worker/);
  const left = '[2026-01-05 17:37:40 +0000] [1] [ERROR] Worker (pid:22) exited with code 1';
  expect(await because(...both, left)).toMatch(/^it would end every worker/);
});

test('a server that cannot listen is not said to find the address in use, unless a line says so', async () => {
  const line = (text: string) => `[2026-01-05 17:37:40 +0000] [9] [ERROR] ${text}`;
  const end = line("Can't connect to ('0.0.0.0', 80)");
  const finding = async (...lines: string[]) => (await judged(...lines)).diagnosis.findings[0];
  const untold = await finding(line('Retrying in 1 second.'), end);
  expect(untold?.title).toBe('The start failed: the server could not listen on its address');
  expect(untold?.message).toMatch(/at loglevel debug alone/);
  expect((await finding(line("Connection in use: ('0.0.0.0', 80)"), end))?.title).toBe('The start failed: the address is in use');
  const refused = await finding("CRITICAL Listen failure: Couldn't listen on 0.0.0.0:80: [Errno 13] Permission denied.");
  expect(refused?.message).toMatch(/The reason told: .*Permission denied\. /);
});

test('stamps that tell no zone are of the one that others of the same moment tell', async () => {
  const hours = async (...lines: string[]) =>
    (await judged(...lines)).timeline.events.map(
      ({at}) => at.earliest !== null && new Date(at.earliest).toISOString().slice(11, 13),
    );
  const [untold, inZone, later, inUtc] = [
    "2026-01-05 17:37:40,100 INFO spawned: 'shop' with pid 9",
    '[2026-01-05 17:37:41 +0200] [9] [INFO] Starting gunicorn 22.0.0',
    "2026-01-05 19:00:00,100 INFO spawned: 'mail' with pid 12",
    '[2026-01-05 19:37:41 +0200] [9] [INFO] Starting gunicorn 22.0.0',
  ] as const;
  expect(await hours(untold, inZone, later)).toEqual(['15', '15', '17']);
  expect(await hours(inZone, untold, later)).toEqual(['15', '15', '17']);
  expect(await hours(untold, inUtc, later)).toEqual(['17', '17', '19']);
});
