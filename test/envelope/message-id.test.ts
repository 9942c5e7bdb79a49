import {mkdtempSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {analyze} from '../../src/analyze.ts';

const STARTED = '39f53479d3a045ac8e11786248231fbf';
const STOPPING = 'de5b426a63be47a7b6ac3eaac82e2f6f';
const STOPPED = '9d1aaa27d60140bd96365438aad20286';

/** A journal in JSON of a systemd that names units by their description alone. */
async function journal(...messages: readonly (readonly [id: string, text: string])[]) {
  const lines = messages.map(([MESSAGE_ID, MESSAGE], n) =>
    JSON.stringify({
      __REALTIME_TIMESTAMP: String(1_795_255_200_000_000 + n * 1_000_000),
      _HOSTNAME: 'web1',
      SYSLOG_IDENTIFIER: 'systemd',
      UNIT: 'shop.service',
      ...(MESSAGE_ID === '' ? {} : {MESSAGE_ID}),
      MESSAGE,
    }),
  );
  const file = join(mkdtempSync(join(tmpdir(), 'logdoctor-')), 'journal.json');
  writeFileSync(file, `${lines.join('\n')}\n`);
  return (await analyze({inputs: [file]})).timeline;
}

const KILL = ['', 'shop.service: Killing process 690 (gunicorn) with signal SIGKILL.'] as const;

test.each([
  ['the words of English', ['Started My shop.', 'Stopping My shop...', 'Stopped My shop.']],
  ['words that nobody knows', ['Gestartet: Mein Laden', 'Haelt an: Mein Laden', 'Angehalten: Mein Laden']],
])('a message with an id is known by it, in %s', async (_, [started = '', stopping = '', stopped = '']) => {
  const {events, instances} = await journal([STARTED, started], [STOPPING, stopping], KILL, [STOPPED, stopped]);
  expect(events.map(({message, fields}) => [message, fields['unit']])).toEqual([
    ['systemd/started', 'shop.service'],
    ['systemd/stopping', 'shop.service'],
    ['systemd/killing-process', 'shop.service'],
    ['systemd/stopped', 'shop.service'],
  ]);
  expect(instances[0]?.processes).toMatchObject([{pid: 690, program: 'shop.service', end: 'forced', killedBy: 'systemd'}]);
});

test('what a unit that runs once has finished stays as it is said', async () => {
  const {events} = await journal([STARTED, 'Finished shop.service - Shop.']);
  expect(events.map(({message}) => message)).toEqual(['systemd/finished']);
});
