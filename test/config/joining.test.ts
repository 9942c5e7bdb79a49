import {expect, test} from 'vitest';
import {analyze, type Diagnosis} from '../../src/analyze.ts';
import {type Report, reportOf} from '../../src/report/json.ts';
import {writer} from '../written.ts';

const written = writer();

/** A server that reads `config`, listens on `socket` and has the given worker-reload-mercy. */
function server(pid: number, config: string, socket: string, mercy = 60): string {
  return `[uWSGI] getting INI configuration from ${config}
*** Starting uWSGI 2.0.21 (64bit) on [Fri Nov 20 10:00:00 2026] ***
uwsgi socket 0 bound to TCP address ${socket} fd 3
your mercy for graceful operations on workers is ${mercy} seconds
spawned uWSGI master process (pid: ${pid})
spawned uWSGI worker 1 (pid: ${pid + 1}, cores: 1)
`;
}

function gunicorn(pid: number): string {
  return `[2026-11-20 10:00:00 +0000] [${pid}] [INFO] Starting gunicorn 20.1.0
[2026-11-20 10:00:00 +0000] [${pid}] [INFO] Listening at: http://127.0.0.1:8000 (${pid})
[2026-11-20 10:00:00 +0000] [${pid + 1}] [INFO] Booting worker with pid: ${pid + 1}
`;
}

function settingsOf(diagnosis: Diagnosis, id: string): Report['instances'][number]['settings'] {
  return reportOf(diagnosis).instances.find((instance) => instance.id === id)?.settings ?? [];
}

test('settings of the file stand beside those of the log, with their lines', async () => {
  const log = written('one.log', server(100, '/etc/one.ini', '127.0.0.1:1'));
  const config = written('one.ini', '[uwsgi]\nmax-requests = 500\n\nworker-reload-mercy = 60\n');
  const settings = settingsOf(await analyze({inputs: [log], configs: [config]}), 'uwsgi-1');
  expect(settings.find(({name}) => name === 'max-requests')).toEqual({
    name: 'max-requests',
    value: 500,
    from: 'config',
    where: {input: config, line: 2},
  });
  expect(settings.filter(({name}) => name === 'worker-reload-mercy').map(({from}) => from)).toEqual(['log', 'config']);
  expect(settings.find(({name}) => name === 'min-worker-lifetime')).toMatchObject({value: 10, from: 'default', where: null});
});

test('of two servers each gets the file that its log names', async () => {
  const log = written('two.log', server(100, '/etc/a/x.ini', '127.0.0.1:1') + server(200, '/etc/a/y.ini', '127.0.0.1:2'));
  const configs = [written('x.ini', '[uwsgi]\nharakiri = 1\n'), written('y.ini', '[uwsgi]\nharakiri = 2\n')];
  const diagnosis = await analyze({inputs: [log], configs});
  const harakiris = ['uwsgi-1', 'uwsgi-2'].map((id) =>
    settingsOf(diagnosis, id).flatMap(({name, value}) => (name === 'harakiri' ? [value] : [])),
  );
  expect(harakiris).toEqual([[1], [2]]);
});

test('a file under another name is known by the address it listens on', async () => {
  const log = written('address.log', server(100, '/etc/a.ini', '127.0.0.1:1') + server(200, '/etc/b.ini', '127.0.0.1:2'));
  const config = written('copy.ini', '[uwsgi]\nhttp-socket = 127.0.0.1:2\nharakiri = 9\n');
  const diagnosis = await analyze({inputs: [log], configs: [config]});
  expect(settingsOf(diagnosis, 'uwsgi-1').some(({name}) => name === 'harakiri')).toBe(false);
  expect(settingsOf(diagnosis, 'uwsgi-2').find(({name}) => name === 'harakiri')?.value).toBe(9);
});

test('where it cannot be told whose file it is, nobody gets it and that is said', async () => {
  const log = written('unclear.log', server(100, '/etc/a.ini', '127.0.0.1:1') + server(200, '/etc/b.ini', '127.0.0.1:2'));
  const diagnosis = await analyze({inputs: [log], configs: [written('c.ini', '[uwsgi]\nharakiri = 9\n')]});
  expect(diagnosis.timeline.instances.flatMap(({configured}) => configured)).toEqual([]);
  expect(diagnosis.notes.map(({text}) => text).join()).toMatch(/which of uwsgi-1, uwsgi-2 it belongs to cannot be told/);
});

test('programs of supervisord go to the servers that run under their pids', async () => {
  const outer = written(
    'supervisord.log',
    `2026-11-20 10:00:00,000 INFO supervisord started with pid 1
2026-11-20 10:00:01,000 INFO spawned: 'web' with pid 100
2026-11-20 10:00:01,000 INFO spawned: 'api' with pid 200
`,
  );
  const logs = [server(100, '/etc/a.ini', '127.0.0.1:1'), server(200, '/etc/b.ini', '127.0.0.1:2')];
  const inner = logs.map((text, n) => written(`inner${n}.log`, text));
  const config = written(
    'supervisord.conf',
    '[program:api]\ncommand = uwsgi /etc/b.ini\nstopwaitsecs = 90\n\n[program:web]\ncommand = uwsgi /etc/a.ini\nstopwaitsecs = 5\n',
  );
  const diagnosis = await analyze({inputs: [outer, ...inner], configs: [config]});
  const waits = diagnosis.timeline.instances.map(({id}) => [
    id,
    ...settingsOf(diagnosis, id).flatMap(({name, value, where}) => (name === 'stopwaitsecs' ? [value, where?.line] : [])),
  ]);
  expect(waits).toEqual([
    ['supervisord-1', 90, 3, 5, 7],
    ['uwsgi-1', 5, 7],
    ['uwsgi-2', 90, 3],
  ]);
});

test('the command line of a unit goes before the file that it names', async () => {
  const log = written('unit.log', server(100, '/etc/one.ini', '127.0.0.1:1'));
  const configs = [
    written('one.ini', '[uwsgi]\nharakiri = 1\n'),
    written('web.service', '[Service]\nExecStart=/usr/bin/uwsgi --ini /etc/one.ini --harakiri 7\nTimeoutStopSec=5min\n'),
  ];
  const {timeline} = await analyze({inputs: [log], configs});
  const [instance] = timeline.instances;
  expect(instance?.settings.findLast(({name}) => name === 'harakiri')?.value).toBe(7);
  expect(instance?.settings.find(({name}) => name === 'TimeoutStopSec')).toMatchObject({value: 300, program: 'web.service'});
});

test('the log wins, and the contradiction is said at the line of the file', async () => {
  const log = written('wins.log', server(100, '/etc/one.ini', '127.0.0.1:1', 60));
  const config = written('one.ini', '[uwsgi]\nworker-reload-mercy = 5\n');
  const {findings, timeline} = await analyze({inputs: [log], configs: [config]});
  const finding = findings.find(({rule}) => rule === 'configuration-not-in-force');
  expect(finding?.message).toContain('worker-reload-mercy is 60, the file has 5');
  expect(finding?.evidence.some(({at}) => at.input === timeline.inputs.length && at.line === 2)).toBe(true);
});

test('variables of the unit and of a file that it names: they win over gunicorn.conf.py, and yield to the command line', async () => {
  const log = written('g.log', gunicorn(300));
  const conf = written('gunicorn.conf.py', 'timeout = 11\ngraceful_timeout = 12\nworkers = 3\n');
  const more = written(
    'g.env',
    '# more\nexport OTHER=x\nGUNICORN_CMD_ARGS="--timeout 14 --graceful-timeout 15 --keep-alive 7"\nWEB_CONCURRENCY=5\n',
  );
  const unit = written(
    'g.service',
    `[Service]\nEnvironment="GUNICORN_CMD_ARGS=--timeout 99" A=b\nEnvironmentFile=-${more}\nExecStart=/usr/bin/gunicorn -c gunicorn.conf.py --timeout 13 app\n`,
  );
  const settings = settingsOf(await analyze({inputs: [log], configs: [unit, conf]}), 'gunicorn-1');
  const last = (name: string) => settings.findLast((each) => each.name === name);
  expect(last('timeout')).toMatchObject({value: 13, where: {input: unit, line: 4}});
  expect(last('graceful_timeout')).toMatchObject({value: 15, where: {input: more, line: 3}});
  expect(last('keepalive')).toMatchObject({value: 7});
  expect(last('workers')).toMatchObject({value: 3, where: {input: conf, line: 3}});
});

test("uWSGI's variables hold where neither the command nor the file says otherwise", async () => {
  const log = written('env.log', server(400, '/etc/env.ini', '127.0.0.1:1'));
  const config = written('env.ini', '[uwsgi]\nworker-reload-mercy = 9\n');
  const outer = written(
    'env.conf',
    '[supervisord]\nenvironment=UWSGI_LISTEN="64"\n[program:env]\ncommand=uwsgi --ini /etc/env.ini\nenvironment=UWSGI_WORKER_RELOAD_MERCY=7,\n  UWSGI_HARAKIRI=\'30\'\n',
  );
  const settings = settingsOf(await analyze({inputs: [log], configs: [outer, config]}), 'uwsgi-1').filter(
    ({from}) => from === 'config',
  );
  const last = (name: string) => settings.findLast((each) => each.name === name);
  expect(last('worker-reload-mercy')).toMatchObject({value: 9});
  expect(last('harakiri')).toMatchObject({value: 30, where: {input: outer, line: 5}});
  expect(last('listen')).toMatchObject({value: 64});
});

test('a variable tells what a script starts', async () => {
  const log = written('s.log', gunicorn(500));
  const unit = written('s.service', '[Service]\nEnvironment=GUNICORN_CMD_ARGS="--timeout 14"\nExecStart=/srv/start.sh\n');
  const settings = settingsOf(await analyze({inputs: [log], configs: [unit]}), 'gunicorn-1');
  expect(settings.findLast(({name}) => name === 'timeout')).toMatchObject({value: 14});
});

test('where a file of the server is not here, no default is put in the place of what it may set', async () => {
  const log = written('absent.log', `${server(500, '/etc/absent.ini', '127.0.0.1:1')}`.replace(/^your mercy.*\n/m, ''));
  const unit = written(
    'absent.service',
    '[Service]\nExecStart=/usr/bin/uwsgi --harakiri 9 --ini /etc/absent.ini\nTimeoutStopSec=30\n',
  );
  const names = async (...configs: string[]) =>
    settingsOf(await analyze({inputs: [log], configs}), 'uwsgi-1').map(({name, value, from}) => `${name}=${value} ${from}`);
  expect(await names(unit)).not.toContain('worker-reload-mercy=60 default');
  expect(await names(unit)).toContain('TimeoutStopSec=30 config');
  const whole = written('absent.ini', '[uwsgi]\nlisten = 5\n');
  expect(await names(unit, whole)).toContain('worker-reload-mercy=60 default');
  const part = written('absent.ini', '[uwsgi]\nini = /nowhere/base.ini\n');
  expect(await names(unit, part)).not.toContain('worker-reload-mercy=60 default');
});

test('what only the server knows is no ground for a finding', async () => {
  const log = written('open.log', server(600, '/etc/open.ini', '127.0.0.1:1').replace(/^your mercy.*\n/m, ''));
  const ids = async (text: string) => {
    const {findings} = await analyze({inputs: [log], configs: [written('open.ini', `[uwsgi]\n${text}\n`)]});
    return findings.map(({rule}) => rule);
  };
  expect(await ids('master = off')).toContain('risky-setting');
  expect(await ids('master = $(MASTER)')).toEqual([]);
  expect(await ids('if-env = LONE\nmaster = off\nendif =')).toEqual([]);
  expect(await ids('harakiri = 90')).toContain('risky-setting');
  expect(await ids('harakiri = 90\nworker-reload-mercy = $(MERCY)')).toEqual([]);
  expect(await ids('reload-mercy = 5')).toContain('mercy-ineffective');
  expect(await ids('reload-mercy = 5\nworker-reload-mercy = $(MERCY)')).toEqual([]);
});
