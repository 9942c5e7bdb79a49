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
