import {execFileSync, spawn} from 'node:child_process';
import {chmodSync, linkSync, mkdirSync, symlinkSync} from 'node:fs';
import {gzipSync} from 'node:zlib';
import {describe, expect, test} from 'vitest';
import {readInputs} from '../../src/source/inputs.ts';
import {CollectingSink, collect, temporaryDirectory} from './collecting-sink.ts';
import * as packed from './packed.ts';

const directory = temporaryDirectory();
const {at, write} = directory;
let made = 0;

/** A fresh directory with these files in it. */
function directoryOf(files: Readonly<Record<string, string | Uint8Array>>): string {
  const name = `d${made++}`;
  mkdirSync(at(name));
  for (const [file, content] of Object.entries(files)) {
    if (file.includes('/')) mkdirSync(at(`${name}/${file.slice(0, file.lastIndexOf('/'))}`), {recursive: true});
    write(`${name}/${file}`, content);
  }
  return at(name);
}

const log = (n: number) => Array.from({length: 10}, (_, i) => `line ${n * 10 + i} of a log\n`).join('');

describe('what a name stands for', () => {
  test('a pattern', async () => {
    const d = directoryOf({'a.log': 'a\n', 'b.log.1': 'b\n', 'c.txt': 'c\n', '.hidden.log': 'h\n'});
    const {sink, errors} = await collect([`${d}/*.log*`]);
    expect(sink.lineTexts).toEqual(['a', 'b']);
    expect(errors).toEqual([]);
  });

  test('a pattern without a match says so', async () => {
    const d = directoryOf({'a.log': 'a\n'});
    const {errors} = await collect([`${d}/*.lgo`]);
    expect(errors).toEqual([`cannot read ${d}/*.lgo: no file matches this pattern`]);
  });

  test('a file whose name looks like a pattern', async () => {
    const d = directoryOf({'a[1].log': 'a\n'});
    expect((await collect([`${d}/a[1].log`])).sink.lineTexts).toEqual(['a']);
  });

  test('a directory: every file below it that is not hidden, and is text', async () => {
    const d = directoryOf({
      'a.log': 'a\n',
      'sub/b': 'b\n',
      '.git/c': 'c\n',
      journal: `LPKSHHRH${'\0'.repeat(100)}`,
      empty: '',
      'z.tgz': gzipSync(Buffer.concat([Buffer.alloc(257), Buffer.from('ustar'), Buffer.alloc(250)])),
    });
    const {sink, notes, errors} = await collect([d]);
    expect(sink.lineTexts).toEqual(['a', 'b']);
    expect(errors).toEqual([]);
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatch(/skipped .*empty \(empty\), .*journal \(it is systemd's journal; .*z\.tgz \(it is a tar archive/);
  });

  test('a directory without logs is an error', async () => {
    const empty = directoryOf({});
    const binary = directoryOf({'x.db': `SQLite format 3\0${'\0'.repeat(100)}`});
    const {errors} = await collect([empty, binary]);
    expect(errors).toEqual([
      `cannot read ${empty}: it is a directory without log files`,
      `cannot read ${binary}: there is no log in it: ${binary}/x.db (it is an SQLite database, not a log)`,
    ]);
  });

  test('one file by several names is read once', async () => {
    const d = directoryOf({'x.log': 'x\n'});
    symlinkSync(`${d}/x.log`, `${d}/link`);
    linkSync(`${d}/x.log`, `${d}/hard`);
    const {sink, notes} = await collect([`${d}/x.log`, `${d}/x.log`, `${d}/link`, `${d}/*`]);
    expect(sink.lineTexts).toEqual(['x']);
    expect(notes).toEqual([`${d}/link: the same file as ${d}/x.log; read once`]);
  });

  test('links that lead nowhere or in circles', async () => {
    const d = directoryOf({'x.log': 'x\n'});
    symlinkSync('nowhere', `${d}/broken`);
    symlinkSync('circle', `${d}/circle`);
    symlinkSync('..', `${d}/up`);
    const {sink, notes, errors} = await collect([d]);
    expect(sink.lineTexts).toEqual(['x']);
    expect(notes).toEqual([`${d}/broken: a link to a file that is not there`]);
    expect(errors).toEqual([`cannot read ${d}/circle: its symbolic links go round in a circle`]);
  });
});

describe('what cannot be read', () => {
  test('is named, and the rest is read', async () => {
    const d = directoryOf({'uwsgi.log': 'x\n'});
    const {sink, errors} = await collect([`${d}/uwsgi.lgo`, `${d}/missing`, `${d}/uwsgi.log`, `${d}/uwsgi.log/x`]);
    expect(sink.lineTexts).toEqual(['x']);
    expect(errors).toEqual([
      `cannot read ${d}/uwsgi.lgo: no such file; did you mean ${d}/uwsgi.log?`,
      `cannot read ${d}/missing: no such file`,
      expect.stringContaining(`cannot read ${d}/uwsgi.log/x: no such file`),
    ]);
  });

  test.skipIf(process.getuid?.() === 0)('for want of permission', async () => {
    const file = write('secret.log', 'x\n');
    chmodSync(file, 0);
    expect((await collect([file])).errors).toEqual([`cannot read ${file}: permission denied; try with sudo, or copy the log`]);
  });

  test.each([
    ['LPKSHHRH', "it is systemd's journal; try: journalctl --file FILE -o short-iso-precise | logdoctor"],
    ['\x7fELF', 'it is a program, not a log'],
    ['PK\x03\x04', 'it is a zip archive; try: unzip -p FILE | logdoctor'],
    ['SQLite format 3\0', 'it is an SQLite database, not a log'],
  ])('%j', async (magic, reason) => {
    const file = write("it's binary", Buffer.concat([Buffer.from(magic, 'latin1'), Buffer.alloc(200)]));
    const {errors, sink} = await collect([file]);
    expect(errors).toEqual([`cannot read ${file}: ${reason.replace('FILE', `'${file.replace("'", "'\\''")}'`)}`]);
    expect(sink.inputs).toEqual([]);
  });

  test('numbers in binary', async () => {
    const random = Buffer.from(Array.from({length: 4096}, (_, i) => (Math.imul(i + 7, 2654435761) >>> 13) & 0xff));
    const records = Buffer.concat(
      Array.from({length: 30}, (_, i) => Buffer.concat([Buffer.from([i, 0, 7, 0]), Buffer.from('tty1'), Buffer.alloc(60)])),
    );
    for (const content of [random, records]) {
      expect((await collect([write('x.bin', content)])).errors[0]).toMatch(/it is a binary file, not a log$/);
    }
  });

  test.each([
    ['NULs that copytruncate left', `${'\0'.repeat(5000)}line\n`],
    ['NULs alone', '\0'.repeat(5000)],
    ['a hole', `${log(1)}${'\0'.repeat(3000)}${log(2)}`],
    ['colours', '\x1b[32mINFO\x1b[0m ready\r\n'.repeat(100)],
    ['an old encoding', Buffer.from('Привет, мир, это журнал\n'.repeat(20), 'utf16le').filter((_, i) => i % 2 === 0)],
    ['broken UTF-8', Buffer.from('gr\xfc\xdfe \xff\xfe ok, and more text here\n'.repeat(20), 'latin1')],
    ['NUL between records', 'a record of some length that is usual\0'.repeat(100)],
  ])('%s make no binary', async (_, content) => {
    expect((await collect([write('odd.log', content)])).errors).toEqual([]);
  });
});

describe('encodings', () => {
  const text = 'größer\nzweite Zeile \u{1f600}\n'.repeat(3000);
  const utf8 = Buffer.from(text).toString('latin1').split('\n').slice(0, -1);
  const le = Buffer.from(`\ufeff${text}`, 'utf16le');

  test.each([
    ['UTF-16, little end first', le],
    ['UTF-16, big end first', Buffer.from(le).swap16()],
    ['UTF-16 in gzip', gzipSync(le)],
    ['UTF-16 without its mark, little end first', le.subarray(2)],
    ['UTF-16 without its mark, big end first', Buffer.from(le).swap16().subarray(2)],
  ])('%s', async (_, content) => {
    expect((await collect([write('encoded.log', content)])).sink.lineTexts).toEqual(utf8);
  });

  test('a byte order mark of UTF-8 is left to the scanner', async () => {
    expect((await collect([write('bom.log', '\ufeffx\n')])).sink.lineTexts).toEqual(['\xef\xbb\xbfx']);
  });
});

describe('a rotated log', () => {
  const whole = Array.from({length: 5}, (_, n) => log(n)).join('');
  const lines = whole.split('\n').slice(0, -1);

  test('is one stream of the lines it was before', async () => {
    const d = directoryOf({
      'x.log': log(4),
      'x.log.1': log(3),
      'x.log.2.gz': gzipSync(log(2)),
      'x.log.3.gz': gzipSync(log(1)),
      'x.log.4': log(0),
    });
    for (const inputs of [
      [d],
      [`${d}/x.log*`],
      ['x.log', 'x.log.1', 'x.log.4', 'x.log.3.gz', 'x.log.2.gz'].map((name) => `${d}/${name}`),
    ]) {
      const {sink, notes, errors} = await collect(inputs);
      expect(sink.lineTexts).toEqual(lines);
      expect(sink.inputs.map(({info}) => info.continues)).toEqual([false, true, true, true, true]);
      expect(sink.names.map((name) => name.slice(d.length + 1))).toEqual([
        'x.log.4',
        'x.log.3.gz',
        'x.log.2.gz',
        'x.log.1',
        'x.log',
      ]);
      expect([...notes, ...errors]).toEqual([]);
    }
  });

  test('cut anywhere between lines, with or without the last line end', async () => {
    for (let cut = 1; cut < lines.length; cut += 7) {
      const d = directoryOf({'x.log.1': lines.slice(0, cut).join('\n'), 'x.log': `${lines.slice(cut).join('\n')}\n`});
      expect((await collect([d])).sink.lineTexts).toEqual(lines);
    }
  });

  test('of which a copy was made before it was cut counts once', async () => {
    const d = directoryOf({'x.log.2': log(0), 'x.log.1': log(1), 'x.log': log(1) + log(2)});
    const {sink, notes} = await collect([d]);
    expect(sink.lineTexts).toEqual(lines.slice(0, 30));
    expect(notes).toEqual([`${d}/x.log.1: ${d}/x.log begins with the same content; read once`]);
  });

  test('of which a part is there packed and unpacked counts once', async () => {
    const d = directoryOf({'x.log.1': log(0), 'x.log.1.gz': gzipSync(log(0)).subarray(0, 60), 'x.log': log(1)});
    expect((await collect([d])).sink.lineTexts).toEqual(lines.slice(0, 20));
  });

  test('whose parts begin alike is read whole', async () => {
    const d = directoryOf({'x.log.1': `${log(0)}one\n`, 'x.log': `${log(0)}two\n`});
    expect((await collect([d])).sink.lineTexts).toHaveLength(22);
  });

  test('with a part missing says which', async () => {
    const d = directoryOf({'x.log.3': log(0), 'x.log': log(3)});
    expect((await collect([d])).notes).toEqual([`${d}/x.log.3: 2 parts between it and ${d}/x.log are missing`]);
  });

  test('goes on behind a part that cannot be read', async () => {
    const d = directoryOf({'x.log.2': packed.lz4, 'x.log.1': log(0), 'x.log': log(1)});
    const {sink, errors} = await collect(['x.log', 'x.log.1', 'x.log.2'].map((name) => `${d}/${name}`));
    expect(sink.inputs.map(({info}) => info.continues)).toEqual([false, true]);
    expect(errors).toHaveLength(1);
  });
});

describe('pipes', () => {
  test('a FIFO, whoever comes first', async () => {
    execFileSync('mkfifo', [at('fifo')]);
    const reading = collect([at('fifo')]);
    spawn('sh', ['-c', 'sleep 0.2; (echo one; sleep 0.1; printf two) > "$0"', at('fifo')]);
    expect((await reading).sink.lineTexts).toEqual(['one', 'two']);
  });

  test('a FIFO nobody writes to can be given up', async () => {
    execFileSync('mkfifo', [at('silent')]);
    const abort = new AbortController();
    const reading = collect([at('silent'), write('after.log', 'x\n')], abort.signal);
    setTimeout(() => abort.abort(), 50);
    const {sink, errors} = await reading;
    expect(sink.lineTexts).toEqual([]);
    expect(errors).toEqual([]);
  });

  test('files that the kernel writes as they are read', async () => {
    expect((await collect(['/proc/self/status'])).sink.lineTexts.length).toBeGreaterThan(10);
  });

  test('a device', async () => {
    expect((await collect(['/dev/null'])).sink.inputs[0]).toMatchObject({lines: [], bytes: 0});
  });

  test('a device without an end is refused, and NULs at the beginning of a file are not', async () => {
    const {sink, errors} = await collect(['/dev/zero', write('truncated.log', `${'\0'.repeat(5000)}a line\n`)]);
    expect(errors).toEqual(['cannot read /dev/zero: it is a device that gives NUL bytes without end, not a log']);
    expect(sink.inputs).toHaveLength(1);
  });
});

test.each([
  ['a file', (text: string) => text],
  ['an archive', (text: string) => gzipSync(text)],
])('%s that holds more than the sink can keep is read as far as it goes, and that is an error', async (name, pack) => {
  const file = write(`full-${name}.log`, pack('a line of a log\n'.repeat(200_000)));
  class Small extends CollectingSink {
    get isFull(): boolean {
      return this.lineTexts.length > 0;
    }
  }
  const sink = new Small();
  const [error, ...others] = await readInputs([file], sink, {onNote: () => {}});
  expect(error?.message).toMatch(/^cannot read .*: it tells of more events than fit into memory/);
  expect(others).toEqual([]);
  expect(sink.lineTexts.length).toBeLessThan(200_000);
  expect(sink.inputs[0]).toMatchObject({truncated: true, isClosed: true});
});
