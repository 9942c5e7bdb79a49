import {mkdtempSync, readFileSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {analyze, type Diagnosis} from '../../src/analyze.ts';
import {reportOf} from '../../src/report/json.ts';
import {text} from '../../src/report/text.ts';

// A real uWSGI that was asked by its stats server and by ps before and after a reload, and then stopped.
const FOLDER = 'test/timeline/recorded/stats';
const LOG = `${FOLDER}/uwsgi.log`;
const read = (name: string) => readFileSync(`${FOLDER}/${name}`, 'utf8');

async function pasted(...logs: string[]): Promise<Diagnosis> {
  const folder = mkdtempSync(join(tmpdir(), 'logdoctor-'));
  const files = logs.map((_, n) => join(folder, `${n}.log`));
  for (const [n, log] of logs.entries()) writeFileSync(files[n] as string, log);
  return analyze({inputs: files});
}

const report = (diagnosis: Diagnosis) => text.render(diagnosis, {width: 1000, color: false, quiet: false, showRules: false});
const rowsOf = (diagnosis: Diagnosis) => reportOf(diagnosis).snapshots.flatMap(({rows}) => rows);

const killed = [
  'Mon Jan 22 11:00:00 2024 - worker 2 (pid: 700) is taking too much time to die...NO MERCY !!!',
  'worker 2 killed successfully (pid: 700)',
  'Respawned uWSGI worker 2 (new pid: 901)',
];

describe('the document of the stats server', () => {
  const before = read('before-the-reload.txt');
  const minified = JSON.stringify(JSON.parse(before));
  const flat = before.replace(/^\s+/gm, '');

  test.each([
    ['as it is', before],
    ['on one line', `${minified}\n`],
    ['with the blanks of jq', `${JSON.stringify(JSON.parse(before), null, 2)}\n`],
    ['without its indentation', flat],
  ])('%s shows each worker', async (_, document) => {
    const diagnosis = await pasted(document);
    expect(rowsOf(diagnosis).map(({pid, worker}) => [pid, worker])).toEqual([
      [26432, null],
      [26434, 1],
      [26435, 2],
    ]);
    expect(rowsOf(diagnosis)[2]?.fields).toMatchObject({state: 'busy', requests: 2, spawns: 1, lastSpawn: 1795270665});
    expect(report(diagnosis)).toContain('Nothing can be said about this log: it is a snapshot');
  });

  test('each row has the line of the document that names its process', async () => {
    const diagnosis = await pasted(before);
    const lines = before.split('\n');
    expect(rowsOf(diagnosis).map(({where}) => lines[where.line - 1]?.trim())).toEqual([
      '"pid":26432,',
      '"pid":26434,',
      '"pid":26435,',
    ]);
  });

  test.each([
    ['in a file of its own, named after', [LOG, `${FOLDER}/after-the-reload.txt`]],
    ['in a file of its own, named before', [`${FOLDER}/after-the-reload.txt`, LOG]],
  ])('%s the log joins its server', async (_, inputs) => {
    const diagnosis = await analyze({inputs});
    expect(diagnosis.timeline.instances).toHaveLength(1);
    expect(rowsOf(diagnosis).map(({instance, contradicts}) => [instance, contradicts])).toEqual(Array(3).fill(['uwsgi-1', null]));
    expect(report(diagnosis)).toContain('taken at 2026-11-21 14:17:51 UTC or later');
  });

  test('above, below and inside a log changes nothing that the log tells', async () => {
    const log = readFileSync(LOG, 'utf8');
    const lines = log.split('\n');
    const plain = reportOf(await pasted(log));
    const inside = [...lines.slice(0, 38), before.trimEnd(), ...lines.slice(38)].join('\n');
    for (const whole of [`${before}${log}`, `${log}${read('after-the-reload.txt')}`, inside]) {
      const {reloads, findings, inputs} = reportOf(await pasted(whole));
      expect(reloads.map(({outcome, workers}) => [outcome, workers])).toEqual(
        plain.reloads.map(({outcome, workers}) => [outcome, workers]),
      );
      expect(findings.map(({rule}) => rule)).toEqual(plain.findings.map(({rule}) => rule));
      expect(inputs[0]?.counts.unknown).toBe(0);
    }
  });

  test('documents one behind the other, without a line end between them, are read one by one', async () => {
    const diagnosis = await pasted([before, read('after-the-reload.txt'), before].map((document) => document.trimEnd()).join(''));
    expect(rowsOf(diagnosis).map(({pid}) => pid)).toEqual([26432, 26434, 26435, 26432, 26632, 26633, 26432, 26434, 26435]);
    const lines = `${before}${read('after-the-reload.txt')}`.replaceAll('}\n{', '}{').split('\n');
    expect(lines[rowsOf(diagnosis)[4]!.where.line - 1]).toContain('26632');
  });

  test('of many snapshots the report shows the last', async () => {
    const diagnosis = await pasted(`${before.trimEnd()}\n`.repeat(40) + read('after-the-reload.txt'));
    expect(report(diagnosis)).toContain('worker 1 (pid 26632)');
    expect(report(diagnosis)).not.toContain('worker 1 (pid 26434)');
    expect(report(diagnosis)).toContain('more lines of 41 snapshots');
  });

  test('another document with indentation is not taken for one', async () => {
    const diagnosis = await pasted(`${JSON.stringify({version: '1', listen_queue: 0, workers: [{id: 1, pid: 7}]}, null, 2)}\n`);
    expect(diagnosis.timeline.snapshots).toEqual([]);
  });
});

describe('lists of processes', () => {
  test.each(['ps-ef.txt', 'ps-aux.txt'])('%s is joined with the processes of the log by pid', async (list) => {
    const diagnosis = await analyze({inputs: [LOG, `${FOLDER}/${list}`]});
    expect(rowsOf(diagnosis).map(({pid, worker, instance}) => [pid, worker, instance])).toEqual([
      [26432, null, 'uwsgi-1'],
      [26632, 1, 'uwsgi-1'],
      [26633, 2, 'uwsgi-1'],
    ]);
  });

  test('what cannot be there together contradicts the log, in the report and in JSON', async () => {
    const list = [700, 901].map((pid) => `www-data  ${pid}   1  0 10:00 ?        00:00:01 /usr/bin/uwsgi --ini shop.ini\n`);
    const diagnosis = await pasted(`${killed.join('\n')}\n`, list.join(''));
    expect(rowsOf(diagnosis).map(({pid, contradicts}) => [pid, contradicts?.line])).toEqual([
      [700, 2],
      [901, undefined],
    ]);
    expect(report(diagnosis)).toContain('That contradicts 0.log:2');
  });

  test('a defunct process contradicts nothing: it has ended', async () => {
    const list =
      'www-data  700  690  0 10:00 ?  00:00:01 [uwsgi] <defunct>\nwww-data 901 690 0 10:00 ? 00:00:01 uwsgi --ini x.ini\n';
    const diagnosis = await pasted(`${killed.join('\n')}\n`, list);
    expect(rowsOf(diagnosis).map(({contradicts}) => contradicts)).toEqual([null, null]);
    expect(report(diagnosis)).toContain('ended, and its parent has not collected it (defunct)');
  });

  test('the same pid in another program is another process', async () => {
    const diagnosis = await pasted(`${killed.join('\n')}\n`, 'www-data 901 690 0 10:00 ? 00:00:01 gunicorn: worker [shop]\n');
    expect(rowsOf(diagnosis).map(({instance}) => instance)).toEqual([null]);
  });
});

describe('what the control programs say', () => {
  test('supervisorctl status tells the pid of a program, and which server that is', async () => {
    const diagnosis = await pasted(
      [
        '2024-01-22 10:00:00,000 INFO supervisord started with pid 7',
        "2024-01-22 10:00:01,000 INFO spawned: 'shop' with pid 690",
        'shop                             RUNNING   pid 690, uptime 1:00:07',
        '',
      ].join('\n'),
      `*** Starting uWSGI 2.0.21 (64bit) on [Mon Jan 22 10:00:01 2024] ***\nspawned uWSGI master process (pid: 690)\n${killed.join('\n')}\n`,
    );
    expect(rowsOf(diagnosis).map(({pid, fields}) => [pid, fields['program'], fields['state']])).toEqual([
      [690, 'shop', 'RUNNING'],
    ]);
    expect(diagnosis.timeline.instances.find(({supervisor}) => supervisor === 'uwsgi')?.runsAs?.name).toBe('shop');
  });

  test('of a program that runs under a pid that no line told, the earlier life is over', async () => {
    const {timeline} = await pasted(
      [
        "2024-01-22 10:00:01,000 INFO spawned: 'shop' with pid 690",
        'shop                             RUNNING   pid 700, uptime 0:00:07',
        '',
      ].join('\n'),
    );
    const programs = timeline.instances.flatMap(({processes}) => processes);
    expect(programs.map(({pid, end, successorPid}) => [pid, end, successorPid])).toEqual([
      [690, 'lost', 700],
      [700, 'running', null],
    ]);
  });

  test('systemctl status tells the main process of a unit, and its log below is read', async () => {
    const diagnosis = await pasted(
      [
        '● shop.service - Shop',
        '     Loaded: loaded (/etc/systemd/system/shop.service; enabled; preset: enabled)',
        '     Active: deactivating (stop-sigterm) since Mon 2024-01-22 11:00:00 UTC; 45s ago',
        '   Main PID: 690 (uwsgi)',
        '      Tasks: 2 (limit: 4915)',
        '     CGroup: /system.slice/shop.service',
        '             ├─690 /usr/bin/uwsgi --ini shop.ini',
        '             └─700 /usr/bin/uwsgi --ini shop.ini',
        '',
        'Jan 22 10:00:00 web1 systemd[1]: Started shop.service - Shop.',
        'Jan 22 10:00:01 web1 uwsgi[690]: spawned uWSGI master process (pid: 690)',
        'Jan 22 10:00:01 web1 uwsgi[690]: spawned uWSGI worker 1 (pid: 700, cores: 1)',
        'Jan 22 11:00:00 web1 systemd[1]: Stopping shop.service - Shop...',
        '',
      ].join('\n'),
    );
    expect(rowsOf(diagnosis).map(({pid, worker, contradicts}) => [pid, worker, contradicts])).toEqual([
      [null, null, null],
      [690, null, null],
      [690, null, null],
      [700, 1, null],
    ]);
    const shown = report(diagnosis);
    expect(shown).toContain('unit shop.service');
    expect(shown).toContain('deactivating (stop-sigterm), for 45s, since Mon 2024-01-22 11:00:00 UTC');
    expect(diagnosis.timeline.instances.find(({supervisor}) => supervisor === 'uwsgi')?.runsAs).toMatchObject({
      name: 'shop.service',
      pid: 690,
    });
  });
});

// A real systemd with uWSGI as its unit, and a real supervisord with gunicorn, asked while they ran and while they stopped.
describe('recorded status commands', () => {
  const STATUS = 'test/timeline/recorded/status';

  test.each(['running.txt', 'stopping.txt', 'stopped.txt'])(
    '%s belongs to the unit of the journal, alone and beside it',
    async (name) => {
      for (const inputs of [[`${STATUS}/${name}`], [`${STATUS}/unit.log`, `${STATUS}/${name}`]]) {
        const diagnosis = await analyze({inputs});
        const {instances} = diagnosis.timeline;
        const uwsgi = instances.filter(({supervisor}) => supervisor === 'uwsgi');
        expect(instances.filter(({supervisor}) => supervisor === 'systemd')).toHaveLength(1);
        expect(uwsgi).toHaveLength(1);
        // The last lines of a stop do not name the master.
        const isTold = inputs.length > 1 || name !== 'stopped.txt';
        if (isTold) expect(uwsgi[0]?.runsAs).toMatchObject({name: 'shop.service', pid: 17});
        expect(rowsOf(diagnosis).map(({contradicts}) => contradicts)).toEqual(rowsOf(diagnosis).map(() => null));
        expect(diagnosis.timeline.inputs.map(({counts}) => counts.unknown)).toEqual(inputs.map(() => 0));
      }
    },
  );

  test('a unit that is being stopped says so, with those that are still there', async () => {
    const shown = report(await analyze({inputs: [`${STATUS}/stopping.txt`]}));
    expect(shown).toContain('deactivating (stop-sigterm), for 4s, since Sat 2026-11-21 15:31:11 UTC');
    expect(shown).toContain('worker 1 (pid 19) is there');
  });

  test.each(['ps-ef.txt', 'ps-auxf.txt'])('%s shows the processes of the journal', async (name) => {
    const diagnosis = await analyze({inputs: [`${STATUS}/unit.log`, `${STATUS}/${name}`]});
    expect(rowsOf(diagnosis).map(({pid, worker, instance}) => [pid, worker, instance])).toEqual([
      [17, null, 'uwsgi-1'],
      [19, 1, 'uwsgi-1'],
      [20, 2, 'uwsgi-1'],
    ]);
  });

  test('supervisorctl and the tree of ps join supervisord and what it runs', async () => {
    const names = ['gunicorn.log', 'supervisord.log', 'supervisorctl.txt', 'supervisorctl-stopped.txt', 'ps-forest.txt'];
    const diagnosis = await analyze({inputs: names.map((name) => `${STATUS}/${name}`)});
    expect(diagnosis.timeline.instances.map(({id}) => id).sort()).toEqual(['gunicorn-1', 'supervisord-1']);
    expect(rowsOf(diagnosis).map(({pid, instance}) => [pid, instance])).toEqual([
      [3382, expect.any(String)],
      [null, 'supervisord-1'],
      [3381, 'supervisord-1'],
      [3382, 'gunicorn-1'],
      [3383, 'gunicorn-1'],
      [3384, 'gunicorn-1'],
    ]);
  });
});
