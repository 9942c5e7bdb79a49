import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {stripVTControlCharacters} from 'node:util';
import {describe, expect, test} from 'vitest';
import {analyze} from '../../src/analyze.ts';
import {capacityOf, outagesOf} from '../../src/measures/capacity.ts';
import {lifeOf} from '../../src/measures/life.ts';
import {type Piece, piecesOf} from '../../src/measures/piece.ts';
import {ticksOf} from '../../src/report/timeline/axis.ts';
import {columnsOf, shownIn} from '../../src/report/timeline/columns.ts';
import {albumOf, MOST_ROWS, type Picture, reloadNamed} from '../../src/report/timeline/picture.ts';
import {svg} from '../../src/report/timeline/svg.ts';
import {type TerminalOptions, terminal} from '../../src/report/timeline/terminal.ts';
import {type Instant, UNKNOWN_INSTANT} from '../../src/timeline/time.ts';
import type {Process, Timeline} from '../../src/timeline/timeline.ts';
import {at, event, forcedWorker, healthyReload, hungReload, input, leftByItself, reloadOf, timelineOf} from './diagnosis.ts';

const samples = fileURLToPath(new URL('../../samples/', import.meta.url));
const plain: TerminalOptions = {width: 100, color: false, ascii: true};
const timelineIn = async (name: string) => (await analyze({inputs: [join(samples, name)]})).timeline;
const ms = (clock: string) => at(clock).earliest as number;
const interval = (from: string, to: string): Instant => ({earliest: ms(from), latest: ms(to)});

function only(timeline: Timeline): Picture {
  const {pictures} = albumOf(timeline);
  expect(pictures).toHaveLength(1);
  return pictures[0] as Picture;
}

/** A worker that starts, and what follows. */
function started(pid: number, when: Instant, changes: Partial<Process> = {}): Process {
  const {forced, asked, ...process} = forcedWorker(1, pid, when, when);
  const line = event(pid, `spawned uWSGI worker 1 (pid: ${pid}, cores: 1)`, when);
  return {
    ...process,
    startedAt: when,
    started: line,
    asked: null,
    forced: null,
    end: 'running',
    endedAt: UNKNOWN_INSTANT,
    ended: null,
    ...changes,
  };
}

describe('a life', () => {
  const old = forcedWorker(1, 100, interval('20:12:13', '20:12:15'), at('20:13:14'));
  const states = (processes: readonly Process[], loads = false) => lifeOf(processes, loads).map(({state}) => state);

  test('goes from serving over being asked to gone, and on with the next', () => {
    expect(states([old, started(200, at('20:13:16'))])).toEqual(['serving', 'asked', 'gone', 'serving']);
  });

  test('starts before it serves where each worker loads the application', () => {
    const next = started(200, at('20:13:16'), {appLoaded: event(210, 'WSGI app 0 ready', at('20:13:18'))});
    expect(states([old, next], true)).toEqual(['serving', 'asked', 'gone', 'starting', 'serving']);
    expect(states([old, started(200, at('20:13:16'))], true)).toEqual(['serving', 'asked', 'gone', 'starting']);
  });

  test('ends in the unknown where the log never tells the end', () => {
    expect(states([{...old, forced: null, end: 'lost', endedAt: UNKNOWN_INSTANT, ended: null}])).toEqual([
      'serving',
      'asked',
      'unknown',
    ]);
  });

  test('bounds each change by its neighbours', () => {
    const [, asked] = lifeOf([{...old, asked: {...(old.asked as NonNullable<Process['asked']>), at: UNKNOWN_INSTANT}}], false);
    expect(asked?.from).toEqual({earliest: null, latest: ms('20:13:14')});
  });

  test('is cut into what is certain and what is possible', () => {
    const pieces = piecesOf(lifeOf([old], false), ms('20:12:10'), ms('20:13:20'));
    expect(pieces).toEqual([
      {from: ms('20:12:10'), to: ms('20:12:13'), states: ['serving']},
      {from: ms('20:12:13'), to: ms('20:12:15'), states: ['serving', 'asked']},
      {from: ms('20:12:15'), to: ms('20:13:14'), states: ['asked']},
      {from: ms('20:13:14'), to: ms('20:13:20'), states: ['gone']},
    ]);
  });
});

describe('capacity', () => {
  const life = (...parts: readonly (readonly [number, Piece['states']])[]): readonly Piece[] =>
    parts.map(([to, states], n) => ({from: n === 0 ? 0 : (parts[n - 1]?.[0] ?? 0), to, states}));

  test('counts who surely can serve and who may', () => {
    const steps = capacityOf([life([10, ['serving']], [20, ['serving', 'asked']], [30, ['asked']]), life([30, ['serving']])]);
    expect(steps).toEqual([
      {from: 0, to: 10, min: 2, max: 2},
      {from: 10, to: 20, min: 1, max: 2},
      {from: 20, to: 30, min: 1, max: 1},
    ]);
  });

  test('is zero between certain and possible bounds', () => {
    const steps = capacityOf([
      life(
        [1000, ['serving']],
        [3000, ['serving', 'asked']],
        [6000, ['gone']],
        [9000, ['gone', 'serving']],
        [10_000, ['serving']],
      ),
    ]);
    expect(outagesOf(steps)).toEqual([
      {from: {earliest: 1000, latest: 3000}, to: {earliest: 6000, latest: 9000}, duration: {min: 3, max: 8}, isCertain: true},
    ]);
  });

  test('is no outage before the first start', () => {
    expect(outagesOf(capacityOf([life([5, ['gone']], [7, ['gone', 'serving']], [9, ['serving']])]))).toEqual([]);
  });

  test('stays open where nobody comes back', () => {
    const [outage] = outagesOf(capacityOf([life([1000, ['serving']], [9000, ['gone']])]));
    expect(outage).toMatchObject({duration: {min: 8, max: null}, to: {latest: null}});
  });
});

describe('the axis', () => {
  test.each([
    ['12:00:00', '12:00:07', 80, ['12:00:00', '12:00:01']],
    ['12:00:03', '12:04:00', 100, ['12:00:30', '12:01:00']],
    ['12:00:03', '12:04:00', 40, ['12:01', '12:02']],
    ['12:00:03', '23:04:00', 60, ['14:00', '16:00']],
  ])('from %s to %s in %i columns has round ticks', (from, to, room, first) => {
    const labels = ticksOf(ms(from), ms(to), room).map(({label}) => label);
    expect(labels.slice(0, 2)).toEqual(first);
    expect(labels.join('  ').length).toBeLessThanOrEqual(room);
  });

  test('names the day where there are several', () => {
    expect(ticksOf(ms('12:00:00'), ms('12:00:00') + 86_400_000, 60)[0]?.label).toBe('07-31 12:00');
  });

  test('lets short pieces be seen', () => {
    const columns = columnsOf({from: 0, to: 1000, isOpenBefore: false, isOpenAfter: false}, 10);
    const shown = shownIn(
      [
        {from: 0, to: 520},
        {from: 520, to: 530},
        {from: 530, to: 1000},
      ],
      columns,
    );
    expect(shown.filter((part) => part?.from === 520)).toHaveLength(1);
  });
});

describe('the chain reload of 4 minutes', async () => {
  const timeline = await timelineIn('reported/002-chain-reload-4-minutes.log');
  const picture = only(timeline);

  test('took 252 s, of which 4 x 61 s were mercy and the rest starts', () => {
    expect(picture.path?.total).toEqual({min: 252, max: 252});
    expect(picture.path?.accounts).toMatchObject([
      {spent: 'mercy', count: 4, each: {min: 61, max: 61}, sum: {min: 244, max: 244}},
      {spent: 'start', count: 4, each: {min: 2, max: 2}, sum: {min: 8, max: 8}},
    ]);
    const share = picture.path?.accounts[0]?.share;
    expect(Math.round((share?.min ?? 0) * 100)).toBe(97);
    expect(share?.max).toBe(share?.min);
  });

  test('has a link of 63 s for each worker', () => {
    expect(picture.path?.links.map(({worker, duration}) => [worker, duration])).toEqual(
      [1, 2, 3, 4].map((n) => [n, {min: 63, max: 63}]),
    );
  });

  test('always has somebody who can serve', () => expect(picture.outages).toEqual([]));

  test('looks like this', () => {
    expect(terminal(timeline, albumOf(timeline), {...plain, width: 80})).toMatchInlineSnapshot(`
      "reload-1  Chain reload, asked for by a touched file, begun 12:14:45 (line 1):
        took 4 min 12 s (252 s), completed 12:18:57
        worker              12:15          12:16         12:17          12:18
                         ---+--------------+-------------+--------------+-------------
        1  7759 -> 7847  --------------X~#############################################
        2  7760 -> 7885  ###############--------------X~##############################
        3  7761 -> 7905  ##############################---------------X###############
        4  7762 -> 7910  ##############################################--------------X
        can serve        3==============~3=============~3=============~3=============~
        events           B             XN             XN              XN            XC
        B begins 12:14:45 (line 1)   X killed x 4, first 12:15:46 (line 4)   N new
        process x 4, first 12:15:46-12:15:47 (line 6)   C complete 12:18:57 (line 30)
        Where the time went
          244 s  97 %  4 x 61 s waiting for mercy to run out: workers 1-4 did not
                       leave and were killed
            8 s   3 %  4 x 2 s start of the replacements, until the chain went on
          workers 1-4, 63 s each: 61 s waiting for mercy to run out, <= 1 s to the new
            process, 1-2 s until that one was ready

      # can serve   - told to stop or leaving, still there   ~ changes somewhere here,
      the log does not tell when
      "
    `);
  });
});

describe('a chain reload that the log cuts off', async () => {
  const timeline = await timelineIn('reported/003-chain-reload-cut.log');

  test('looks like this', () => {
    expect(terminal(timeline, albumOf(timeline), {...plain, width: 80})).toMatchInlineSnapshot(`
      "reload-1  Chain reload, asked for by a touched file, begun 22:02:03 (line 1):
        not finished when the log ends, after at least 64 s
        worker                      22:02:15      22:02:30      22:02:45      22:03:00
                         -----------+-------------+-------------+-------------+------>
        1  2433 -> 9930  ---------------------------------------------------------X+~#
        2  2489          ############################################################-
        can serve        1==========================================================~1
        events           B                                                        XN
        B begins 22:02:03 (line 1)   X killed 22:03:04 (line 4)   N new process
        22:03:04-22:03:05 (line 6)
        Where the time went
          61 s  waiting for mercy to run out: worker 1 did not leave and was killed
             ?  waiting for worker 2 to leave, and not over when the log ends
           3 s  start of the replacement, until the chain went on
          worker 1, 64 s: 61 s waiting for mercy to run out, <= 1 s to the new
            process, 2-3 s until that one was ready
          worker 2: waiting for it to leave when the log ends

      # can serve   - told to stop or leaving, still there   + starting, application
      not loaded yet   ~ changes somewhere here, the log does not tell when
      "
    `);
  });
});

describe('a hung reload of all workers', () => {
  const processes = [1, 2, 3].map((n) => forcedWorker(n, 100 + n, interval('20:12:13', '20:12:15'), at('20:13:14')));
  const next = processes.map((process, n) => ({
    ...started(1100 + n, at('20:13:16')),
    pid: process.pid + 1000,
    worker: process.worker,
  }));
  const timeline = timelineOf([...processes, ...next], [reloadOf(processes, interval('20:12:13', '20:12:15'), at('20:13:16'))]);
  const picture = only(timeline);

  test('shows nobody serving between the bounds', () => {
    expect(picture.outages).toMatchObject([{duration: {min: 61, max: 63}, isCertain: true}]);
    expect(terminal(timeline, albumOf(timeline), plain)).toContain('Nobody could serve for 61 to 63 s, from 20:12:13-20:12:15.');
  });

  test('names whom it waited for', () => {
    const text = terminal(timeline, albumOf(timeline), plain);
    expect(text).toMatch(/59-61 s +97 % +waiting for worker 1 \(pid 101\), which did not leave and was killed when mercy/);
    expect(text).toMatch(/2 s +3 % +start of the new generation/);
  });

  test('has one row for each worker, old pid and new', () => {
    expect(picture.rows.map(({name, pids}) => [name, pids])).toEqual([1, 2, 3].map((n) => [String(n), [100 + n, 1100 + n]]));
  });

  test('colours only what the characters say already', () => {
    const colored = terminal(timeline, albumOf(timeline), {...plain, color: true});
    expect(colored).toContain('\x1b[31m');
    expect(stripVTControlCharacters(colored)).toBe(terminal(timeline, albumOf(timeline), plain));
  });
});

test('a reload that nobody knows the beginning of is open on the left', () => {
  const asked = {earliest: null, latest: ms('20:13:14')};
  const processes = [forcedWorker(1, 100, asked, at('20:13:14'))];
  const timeline = timelineOf(processes, [reloadOf(processes, asked, at('20:13:16'))]);
  const picture = only(timeline);
  expect(picture.frame).toMatchObject({isOpenBefore: true, isOpenAfter: false});
  expect(picture.frame?.from).toBeLessThan(ms('20:13:14'));
  expect(picture.rows[0]?.pieces[0]?.states).toEqual(['serving', 'asked']);
  expect(terminal(timeline, albumOf(timeline), plain)).toMatch(/^ +<-/m);
});

test('an unfinished reload is open on the right', () => {
  const processes = [
    {
      ...forcedWorker(1, 100, at('20:12:13'), at('20:13:14')),
      forced: null,
      end: 'running' as const,
      ended: null,
      endedAt: UNKNOWN_INSTANT,
    },
  ];
  const timeline = timelineOf(processes, [reloadOf(processes, at('20:12:13'), null)]);
  expect(only(timeline).frame).toMatchObject({isOpenBefore: false, isOpenAfter: true});
  expect(terminal(timeline, albumOf(timeline), plain)).toContain('which had not left when the log ends');
});

test('without any time only the order is told', () => {
  const processes = [{...forcedWorker(1, 100, UNKNOWN_INSTANT, UNKNOWN_INSTANT)}];
  const reload = {...reloadOf(processes, UNKNOWN_INSTANT, UNKNOWN_INSTANT), duration: {min: 0, max: null}};
  const timeline = timelineOf(processes, [reload], {from: null, to: null, inputs: [{...input, from: null, to: null}]});
  const text = terminal(timeline, albumOf(timeline), plain);
  expect(text).toContain('only the order of the lines is known');
  expect(text).toMatch(/line 30 {2}begins: \.\.\.gracefully killing workers\.\.\.\n {2}line 41 {2}killed: worker 1/);
  expect(svg(timeline, albumOf(timeline))).toContain('only the order of the lines is known');
});

test('a log without a reload shows the lives of its workers', () => {
  const first = {...leftByItself(1, 100, at('20:11:00'), at('20:11:05'))};
  const timeline = timelineOf([first, started(200, at('20:11:06'))], []);
  const album = albumOf(timeline);
  expect(album.isWhole).toBe(true);
  expect(only(timeline).rows).toMatchObject([{name: '1', pids: [100, 200]}]);
  expect(terminal(timeline, album, plain)).toContain('it shows no reload and no stop');
  expect(terminal(timeline, album, plain)).toContain('Nobody could serve for 6 s, from 20:11:00.');
  expect(svg(timeline, album)).toContain('Nobody could serve for 6 s, from 20:11:00.');
});

test('a log without a worker has nothing to draw', () => {
  const timeline = timelineOf([], []);
  expect(terminal(timeline, albumOf(timeline), plain)).toBe(
    'Nothing to draw: the log tells of no worker, no reload and no stop.\n',
  );
});

test('rows are limited, and those in trouble stay', () => {
  const processes = Array.from({length: 60}, (_, n) =>
    (n === 59 ? forcedWorker : leftByItself)(n + 1, 100 + n, at('20:12:13'), at('20:12:20')),
  );
  const timeline = timelineOf(processes, [reloadOf(processes, at('20:12:13'), at('20:12:21'))]);
  const picture = only(timeline);
  expect(picture.rows).toHaveLength(MOST_ROWS);
  expect(picture.rows.at(-1)?.name).toBe('60');
  expect(picture.capacity[0]?.max).toBe(60);
  expect(terminal(timeline, albumOf(timeline), plain)).toContain('... and 20 more workers');
});

test('of many reloads the last and those that took longest are drawn, and it is said so', () => {
  const {reloads, ...rest} = hungReload().timeline;
  const [reload] = reloads;
  if (reload === undefined) throw new Error('there is a reload');
  const many = Array.from({length: 60}, (_, n) => ({
    ...reload,
    id: `reload-${n + 1}`,
    duration: {min: n === 7 ? 300 : n % 30, max: null},
  }));
  const timeline = {...rest, reloads: many};
  const album = albumOf(timeline);
  const drawn = album.pictures.map((picture) => picture.reload?.id);
  expect(drawn).toHaveLength(20);
  expect(drawn).toContain('reload-8');
  expect(drawn.at(-1)).toBe('reload-60');
  expect(drawn).not.toContain('reload-31');
  expect(terminal(timeline, album, plain)).toContain('... and 40 more reloads and stops');
});

test('a reload is found by number and by id', () => {
  const {timeline} = hungReload();
  expect(reloadNamed('1', timeline)?.id).toBe('reload-1');
  expect(reloadNamed('reload-1', timeline)?.id).toBe('reload-1');
  expect(reloadNamed('2', timeline)).toBeNull();
});

describe('nothing of the log is obeyed', () => {
  const evil = '\x1b]0;owned\x07\x9b2J\u202e</text><script>alert("1")</script>&amp;]]>\ufffe NO MERCY';
  const {timeline: base} = hungReload();
  const processes = base.instances[0]?.processes.map((process) => ({
    ...process,
    forced: process.forced === null ? null : {...process.forced, event: {...process.forced.event, text: evil}},
    asked: process.asked === null ? null : {...process.asked, event: {...process.asked.event, text: evil}},
  }));
  const instances = base.instances.map((instance) => ({...instance, name: evil, supervisor: evil, processes: processes ?? []}));
  const timeline = {
    ...base,
    instances: [...instances, ...instances.map((one) => ({...one, id: 'other'}))],
    inputs: [{...input, name: evil}, input],
  };

  test('by a terminal', () => {
    const text = terminal(timeline, albumOf(timeline), {...plain, ascii: false});
    expect(text).toContain('\\x1b]0;owned\\x07');
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Cs}]/u);
  });

  test('by a viewer of SVG', () => {
    const text = svg(timeline, albumOf(timeline));
    expect(elementsIn(text)).not.toContain('script');
    expect(text).toContain('&lt;script&gt;');
    expect(text).not.toContain('\ufffe');
  });
});

const logs = readdirSync(samples, {recursive: true, encoding: 'utf8'}).filter((name) => name.endsWith('.log'));

test.each(logs)('%s is drawn within any width, and as well-formed SVG', async (name) => {
  const timeline = await timelineIn(name);
  const album = albumOf(timeline);
  for (const width of [40, 41, 59, 80, 100, 137, 200]) {
    for (const ascii of [false, true]) {
      const text = terminal(timeline, album, {width, color: false, ascii});
      expect(text).not.toMatch(/undefined|NaN|Infinity|\[object| $/m);
      if (ascii) expect(text).toMatch(/^[\n -~]*$/);
      expect(text.split('\n').filter((line) => Array.from(line).length > width)).toEqual([]);
    }
  }
  const drawing = svg(timeline, album);
  expect(drawing).not.toMatch(/undefined|NaN|Infinity|\[object/);
  expect(elementsIn(drawing).slice(0, 4)).toEqual(['svg', 'title', 'desc', 'style']);
  // Addresses in the text are the log's; nothing is fetched from one.
  expect(drawing).not.toMatch(/(?:["'(]\s*|@import\s+)https?:(?!\/\/www\.w3\.org\/2000\/svg")/);
});

test('SVG has words for those who do not see it, and follows the viewer from light to dark', () => {
  const {timeline} = healthyReload();
  const drawing = svg(timeline, albumOf(timeline));
  expect(drawing).toContain('role="img" aria-labelledby="title description"');
  expect(drawing).toMatch(/<desc id="description">reload-1: Graceful reload[^<]*took 2 s/);
  expect(drawing).toContain('@media (prefers-color-scheme: dark)');
});

/** The names of all elements in order; fails where the text is no well-formed XML (of the kind that is written here). */
function elementsIn(xml: string): readonly string[] {
  const names: string[] = [];
  const open: string[] = [];
  const ids = new Set<string>();
  const body = xml.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n/, '').trimEnd();
  const token = /<\/([a-zA-Z]+)>|<([a-zA-Z]+)((?: [a-zA-Z0-9:-]+="[^"<]*")*)(\/?)>|([^<]+)/y;
  while (token.lastIndex < body.length) {
    const start = token.lastIndex;
    const [, closing, opening, attributes = '', empty, text] = token.exec(body) ?? [];
    if (closing === undefined && opening === undefined && text === undefined)
      throw new Error(`no XML: ${body.slice(start, start + 80)}`);
    expect((attributes + (text ?? '')).replace(/&(?:amp|lt|gt|quot|apos);/g, '')).not.toMatch(
      /&|\]\]>|[^\t\n\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u,
    );
    if (closing !== undefined) expect(open.pop()).toBe(closing);
    if (opening === undefined) continue;
    names.push(opening);
    const keys = [...attributes.matchAll(/ ([a-zA-Z0-9:-]+)=/g)].map(([, key]) => key);
    expect(new Set(keys).size).toBe(keys.length);
    const [, id] = / id="([^"]+)"/.exec(attributes) ?? [];
    if (id !== undefined) expect(ids.has(id) || !ids.add(id)).toBe(false);
    if (empty === '') open.push(opening);
    else expect(open.length).toBeGreaterThan(0);
  }
  expect(open).toEqual([]);
  return names;
}
