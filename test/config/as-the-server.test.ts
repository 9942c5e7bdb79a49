import {mkdtempSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {readConfiguration} from '../../src/config/read.ts';

// What uWSGI 2.0.21 and gunicorn 20.1 make of these was asked of the real servers (test/servers/configuration), which once differed.

const directory = mkdtempSync(join(tmpdir(), 'logdoctor-server-'));
let number = 0;

function written(name: string, text: string): string {
  const path = join(directory, `${number++}-${name}`);
  writeFileSync(path, text);
  return path;
}

/** `name=value`, or `name?` where only the server's machine knows. */
async function settings(name: string, text: string): Promise<string[]> {
  const {programs} = await readConfiguration([written(name, text)]);
  return (programs[0]?.settings ?? []).map((each) => (each.unknown ? `${each.name}?` : `${each.name}=${each.value}`));
}

describe('uWSGI', () => {
  test.each([
    [
      'a number ends where its digits do',
      'harakiri = 60 ; seconds\nlisten = 5s\nmax-requests =',
      ['harakiri=60', 'listen=5', 'max-requests=0'],
    ],
    ['all but no is yes', 'master = enabled\nvacuum = Off\nlazy-apps', ['master=true', 'vacuum=false', 'lazy-apps=true']],
    [
      'a % at the end of a line takes the next line in',
      'name = 50%\nharakiri = 5\nlisten = 6',
      ['name=50harakiri = 5', 'listen=6'],
    ],
    ['also behind a comment', '; by half 50%\nharakiri = 5\nlisten = 6', ['listen=6']],
    ['a placeholder that is set on the spot is not looked into', 'set-ph = n=$(N)\nharakiri = %(n)', ['n=$(N)', 'harakiri=0']],
    ['the queue is set on the spot', 'set-ph = n=7\nlisten = %(n)\nharakiri = %(n)', ['n=7', 'listen=0', 'harakiri=7']],
    ['what is not set counts as nothing', 'harakiri = %(none + 7)\nthreads = %(none)', ['harakiri=7', 'threads=0']],
    ['the first value counts for placeholders', 'n = 1\nn = 2\nharakiri = %(n)', ['n=2', 'harakiri=1']],
    ['processes and workers are one', 'processes = 4\nworkers = 8', ['workers=8']],
    ['the name of a section ends with its line', 'harakiri = 1\n[uwsgi] ; more\nharakiri = 2', ['harakiri=1']],
    ['an environment decides', 'harakiri = 30\nif-env = PROD\nharakiri = 60\nendif =', ['harakiri?']],
    ['what stands behind decides', 'if-env = PROD\nharakiri = 60\nendif =\nharakiri = 30', ['harakiri=30']],
    ['both ways the same', 'harakiri = 60\nif-exists = /x\nharakiri = 60\nendif =', ['harakiri=60']],
    ['placeholders of a condition', 'if-env = PROD\nn = 5\nendif =\nharakiri = %(n)', ['n?', 'harakiri?']],
    ['the machine counts its processors', 'processes = %k\nthreads = %(2 * 2)', ['processes?', 'threads=4']],
  ])('%s', async (_, lines, expected) => {
    expect(await settings('app.ini', `harakiri = 9\n[uwsgi]\n${lines}\n`)).toEqual(expected);
  });

  test('an inherited file comes last, and its references are left alone', async () => {
    const base = written('base.ini', '[uwsgi]\nharakiri = 20\nthreads = %(n)\n');
    expect(await settings('app.ini', `[uwsgi]\nn = 5\ninherit = ${base}\nharakiri = 10\n`)).toEqual([
      'n=5',
      'harakiri=20',
      'threads=0',
    ]);
  });

  test('YAML: nested options, nothing of what has no value, the first of two', async () => {
    const text = 'uwsgi:\n  pidfile: %d/x.pid\n  harakiri:\n  more:\n    threads: 2\nuwsgi:\n  threads: 3\n';
    expect(await settings('app.yaml', text)).toEqual([`pidfile=${directory}//x.pid`, 'threads=2']);
  });

  test('JSON words and lists', async () => {
    const text = '{"uwsgi": {"master": true, "vacuum": null, "harakiri": "5", "log-date": "true", "env": ["A=1", "B=2"]}}';
    expect(await settings('app.json', text)).toEqual([
      'master=true',
      'vacuum=false',
      'harakiri=5',
      'log-date=true',
      'env=A=1',
      'env=B=2',
    ]);
  });

  test('XML: the id of the root does not count, nor what stands in a part of another name', async () => {
    expect(await settings('app.xml', '<uwsgi id="x"><master/><threads> 2 </threads></uwsgi>')).toEqual([
      'master=true',
      'threads=2',
    ]);
    const two = '<all><uwsgi id="x"><threads>2</threads></uwsgi><uwsgi id="y"><threads>3</threads></uwsgi></all>';
    expect(await settings('all.xml', two)).toEqual(['threads=2']);
  });

  test.each([
    ['app.ini --harakiri 9', [], ['harakiri=9']],
    ['--ini app.ini --harakiri 9', ['harakiri=9'], []],
    ['--harakiri 9 --ini app.ini --listen 5', ['listen=5'], ['harakiri=9']],
    ['-Mp4 --harakiri=9', ['master=true', 'processes=4', 'harakiri=9'], []],
  ])('uwsgi %s: what is given after the file wins over it', async (command, over, under) => {
    const {programs} = await readConfiguration([written('s.conf', `[program:x]\ncommand = uwsgi ${command}\n`)]);
    const shown = (all: readonly {name: string; value: unknown}[] = []) => all.map(({name, value}) => `${name}=${value}`);
    expect([shown(programs[0]?.runs?.settings), shown(programs[0]?.runs?.fallbacks)]).toEqual([over, under]);
  });
});

describe('gunicorn', () => {
  test.each([
    [
      'assigned with others',
      'timeout = 5\ntimeout = threads = 6\nworkers, keepalive = 1, 2',
      ['timeout?', 'threads?', 'workers?', 'keepalive?'],
    ],
    ['with a type', 'timeout: int = 6\nworkers: int', ['timeout=6']],
    ['two in a line', 'timeout = 6; workers = 2', ['timeout=6', 'workers=2']],
    ['imported', 'timeout = 6\nfrom base import timeout', ['timeout?']],
    ['deleted, looped over, caught', 'timeout = 6\ndel timeout\nfor workers in (1, 2): pass', ['timeout?', 'workers?']],
    ['by a function', 'timeout = 6\ndef change():\n    global timeout\n    timeout = 7\nchange()', ['timeout?']],
    ['in a function', 'timeout = 6\ndef post_fork(server, worker):\n    timeout = 7', ['timeout=6', 'post_fork=a function']],
    ['from the environment', 'import os\ntimeout = int(os.environ.get("T", 30))\nworkers = timeout', ['timeout?', 'workers?']],
    ['a text of escapes', 'proc_name = "\\x41"\nbind = b"x"', ['proc_name?', 'bind?']],
    ['names of its own', 'base = 5\ntimeout = base * 2', ['timeout=10']],
  ])('%s', async (_, text, expected) => {
    expect(await settings('gunicorn.conf.py', `${text}\n`)).toEqual(expected);
  });

  test.each(['from base import *', 'exec(open("base.py").read())', 'globals().update(more)'])(
    '%s: no value and no default is certain',
    async (line) => {
      const found = await settings('gunicorn.conf.py', `timeout = 5\n${line}\nworkers = 2\n`);
      expect(found).toContain('workers=2');
      expect(found).toContain('timeout?');
      expect(found).toContain('graceful_timeout?');
    },
  );
});

describe('supervisord', () => {
  test.each([
    [
      'a comment behind a value',
      'stopwaitsecs=5 # short\nstartsecs=7;no comment\nstartretries=3\t; x',
      ['stopwaitsecs=5', 'startsecs=7;no comment', 'startretries=3'],
    ],
    ['keys of any case', 'StopWaitSecs=5', ['stopwaitsecs=5']],
    ['a section that is indented throughout', '[program:x]\n  stopwaitsecs=5\n  startsecs=7', ['stopwaitsecs=5', 'startsecs=7']],
    ['the last one counts', 'stopwaitsecs=5\n[program:x]\nstopwaitsecs=6', ['stopwaitsecs=6']],
    ['what is killed as a group', 'stopasgroup=true', ['stopasgroup=true', 'killasgroup=true']],
    ['a signal by its number', 'stopsignal=sigterm\n[program:x]\nstopsignal=2', ['stopsignal=INT']],
    ['the environment', 'stopwaitsecs=%(ENV_W)s\nstartsecs=%(ENV_SHARED)s', ['stopwaitsecs?', 'startsecs=9']],
  ])('%s', async (_, lines, expected) => {
    const text = `[supervisord]\nenvironment=SHARED="9"\n[program:x]\ncommand=/bin/x\n${lines}\n`;
    expect(await settings('s.conf', text)).toEqual(['command=/bin/x', ...expected]);
  });

  test('what stands in [DEFAULT] holds everywhere; a blank line does not end a value', async () => {
    const text = '[DEFAULT]\nstopwaitsecs=44\n[program:x]\ncommand=gunicorn\n\n   -w 3\n';
    expect(await settings('s.conf', text)).toEqual(['stopwaitsecs=44', 'command=gunicorn\n-w 3']);
  });

  test('a program of several files is one', async () => {
    const more = written('more.conf', '[program:x]\nstopwaitsecs=7\n');
    const text = `[supervisord]\n[program:x]\ncommand=/bin/x\nstopwaitsecs=5\n[include]\nfiles=${more}\n`;
    expect(await settings('s.conf', text)).toEqual(['command=/bin/x', 'stopwaitsecs=7']);
  });
});

describe('systemd', () => {
  test.each([
    ['months and minutes', 'TimeoutStopSec=1month\nTimeoutStartSec=1m', ['TimeoutStopSec=2629800', 'TimeoutStartSec=60']],
    ['an empty time leaves the one before', 'TimeoutStopSec=5\nTimeoutStopSec=', ['TimeoutStopSec=5']],
    ['an empty KillMode takes it back', 'KillMode=mixed\nKillMode=', []],
    [
      'a variable that it sets',
      'Environment=N=3\nExecStart=/usr/bin/gunicorn -w $N',
      ['Environment=N=3', 'ExecStart=/usr/bin/gunicorn -w $N'],
    ],
  ])('%s', async (_, lines, expected) => {
    expect(await settings('x.service', `[Service]\n${lines}\n`)).toEqual(expected);
  });

  test('variables in the command: those that are known, and those that are not', async () => {
    const text = '[Service]\nEnvironment=N=3\nExecStart=/usr/bin/gunicorn -w $N -t $WAIT app\n';
    const {programs} = await readConfiguration([written('y.service', text)]);
    const shown = programs[0]?.runs?.settings.map(({name, value, unknown}) => [name, value, unknown]);
    expect(shown).toEqual([
      ['workers', 3, undefined],
      ['timeout', '$WAIT', 'value'],
    ]);
  });
});
