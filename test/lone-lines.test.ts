import {readFileSync} from 'node:fs';
import {extractExamples} from 'ohm-js/extras';
import {describe, expect, test} from 'vitest';
import {formats} from '../src/formats/index.ts';
import {kebabCase} from '../src/grammar/matcher.ts';
import type {EventKind, Meaning} from '../src/timeline/event.ts';
import {judged} from './hostile/judged.ts';

/** A stop or reload begins, or is under way. */
const BEGINNINGS: ReadonlySet<EventKind> = new Set([
  'chain-step',
  'chain-waiting',
  'group-stopping',
  'helper-stopping',
  'process-asked',
  'program-stopping',
  're-executing',
  'reload-asked',
  'reload-began',
  'requests-pending',
  'stop-began',
]);
const TROUBLES: ReadonlySet<EventKind> = new Set([
  'app-load-failed',
  'crash',
  'deadline-detail',
  'master-lost',
  'out-of-memory',
  'process-forced',
  'process-left-over',
  'program-failed',
  'program-given-up',
  'respawn-throttled',
  'task-cut',
]);

// People paste the one line that they do not understand. Whatever it is, nobody may be told that all is well, where it tells
// of a trouble or of something that has no end in it.
describe.each(formats.filter(({isApplication}) => !isApplication).map((format) => [format.id, format] as const))(
  '%s',
  (id, format) => {
    const examples = extractExamples(readFileSync(`grammars/${format.grammarFile}`, 'latin1'));
    const telling = examples.filter(({rule, shouldMatch}) => shouldMatch && kindsOf(format.meanings[kebabCase(rule)]).length > 0);
    const lines = telling.map(({rule, example}) => [rule, Buffer.from(example, 'latin1').toString('utf8')] as const);

    test.runIf(lines.length > 0)('no line of a stop, a reload or a trouble is called healthy', async () => {
      const green: string[] = [];
      for (const [rule, text] of lines) {
        const {verdict, timeline} = await judged(id === 'uwsgi' ? `Fri Nov 20 23:24:23 2026 - ${text}` : text);
        const tells = timeline.events.some(({meaning: {kind}}) => BEGINNINGS.has(kind) || TROUBLES.has(kind));
        if (tells && /^No trouble found/.test(verdict)) green.push(`${rule}: ${text}: ${verdict}`);
      }
      expect(green).toEqual([]);
    });
  },
);

function kindsOf(meaning: Meaning | string | undefined): readonly EventKind[] {
  if (typeof meaning !== 'object') return [];
  const all = [meaning, ...Object.values(meaning.when ?? {}).flatMap((each) => Object.values(each))];
  return all.flatMap(({kind}) => (kind !== undefined && (BEGINNINGS.has(kind) || TROUBLES.has(kind)) ? [kind] : []));
}

test('a lone beginning is said to be undecided', async () => {
  for (const line of [
    'Fri Nov 20 23:24:23 2026 - [emperor] *** RAGNAROK EVOKED ***',
    'Fri Nov 20 23:24:23 2026 - [emperor] stop the uwsgi instance shop.ini',
    'Fri Nov 20 23:24:23 2026 - received message 0 from emperor',
    '...gracefully killing workers...',
    'INFO:     Terminated child process [7]',
    'Gracefully stopping... (press Ctrl+C again to force)',
  ])
    expect((await judged(line)).verdict, line).toMatch(/^Undecided \(/);
});

test('a lone end is not said to be no stop', async () => {
  for (const line of [
    'goodbye to uWSGI.',
    'worker 1 buried after 1 seconds',
    '2026-05-04 10:00:00,022 INFO stopped: shop (terminated by SIGTERM)',
    'Fri Nov 20 23:24:23 2026 - chain reloading complete',
  ])
    expect((await judged(line)).verdict, line).toContain('the log shows the end of a reload or stop, and not its beginning');
});

test('the line that tells of a trouble that no rule names is quoted', async () => {
  const {verdict} = await judged(
    'uwsgi[22155]: segfault at 8 ip 00007f33cd760018 sp 00007ffec4acba20 error 4 in x.so[7f33cd5f9000+1b0000]',
  );
  expect(verdict).toMatch(/^No rule names a trouble, although line 1 tells of one: "uwsgi\[22155\]: segfault at 8/);
});
