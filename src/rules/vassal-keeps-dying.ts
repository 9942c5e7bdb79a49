import type {LogEvent} from '../timeline/event.ts';
import {groupBy} from '../timeline/group.ts';
import {precedes} from '../timeline/lookup.ts';
import type {Timeline} from '../timeline/timeline.ts';
import {type Finding, NO_PROCESS, type Rule} from './rule.ts';
import {count, evidence, list, proof, sentences} from './wording.ts';

const rule: Rule = {
  id: 'vassal-keeps-dying',
  title: 'A vassal dies before its first request, and its emperor slows it down',
  severity: 'error',
  docs: {
    sees:
      'An emperor that throttles a vassal ("unloyal bad behaving vassal found"), because it ended before it served a request, and ' +
      'that curses it again and again.',
    why:
      'The emperor starts a vassal again whenever it ends. One that ends before its first request is started later each time, by a ' +
      'second more, up to three minutes. The site is down in between, and every start is a cold one.',
    remedy:
      'Read the lines of the vassal itself between its start and its end: a wrong option, an address that is in use, an application ' +
      'that does not load.',
    limits: 'A vassal that was stopped on purpose before anybody asked it for anything looks the same, once.',
    references: ['https://uwsgi-docs.readthedocs.io/en/latest/Emperor.html#loyalty'],
  },
  needs: {
    messages: [
      'uwsgi/vassal-throttled',
      'uwsgi/vassal-spawned',
      'uwsgi/vassal-ready',
      'uwsgi/vassal-cursed',
      'uwsgi/emperor-starting',
    ],
    otherwise: 'no emperor speaks in this log',
  },
  *check(timeline) {
    const throttled = timeline.events.filter(({message}) => message === 'uwsgi/vassal-throttled');
    for (const own of groupBy(throttled, ({stream, fields}) => `${stream} ${fields['vassal']}`).values()) {
      yield describe(timeline, own);
    }
  },
};

export default rule;

const UP: ReadonlySet<LogEvent['message']> = new Set(['uwsgi/vassal-ready', 'uwsgi/vassal-loyal']);
const TROUBLES: ReadonlySet<LogEvent['meaning']['kind']> = new Set(['address-in-use', 'no-app', 'app-load-failed']);
const ERRORS: ReadonlySet<LogEvent['message']> = new Set([
  'uwsgi/configuration-error',
  'uwsgi/system-error',
  'uwsgi/python-home-missing',
]);

function describe(timeline: Timeline, throttled: readonly [LogEvent, ...LogEvent[]]): Finding | null {
  const [first] = throttled;
  const last = throttled.at(-1) ?? first;
  const vassal = String(first.fields['vassal']);
  const own = timeline.events.filter(({stream, fields}) => stream === first.stream && fields['vassal'] === vassal);
  const lastEnd = own.findLast(({message}) => message === 'uwsgi/vassal-cursed' || message === 'uwsgi/vassal-throttled') ?? last;
  const up = own.find((event) => UP.has(event.message) && precedes(lastEnd, event)) ?? null;
  const cursed = own.filter(({message}) => message === 'uwsgi/vassal-cursed');
  const ends = cursed.length > throttled.length ? cursed : throttled;
  // Once, and then well: a stop or a restart in between.
  const isOnce = ends.length === 1;
  const since = cursed[0] ?? first;
  const before = timeline.events.filter(
    (event) =>
      event.stream === first.stream && precedes(event, last) && (TROUBLES.has(event.meaning.kind) || ERRORS.has(event.message)),
  );
  const [trouble] = before.filter((event) => event.place > since.place - 60);
  const lines = evidence([
    ...throttled.slice(0, 2).map((event) => proof(event, 'it ended before its first request, and is slowed down')),
    ...cursed.slice(0, 3).map((event) => proof(event, 'it has ended')),
    ...(trouble ? [proof(trouble, 'what was said before it ended')] : []),
    ...(up ? [proof(up, 'it is up later')] : []),
  ]);
  if (!lines) return null;
  // What keeps it from starting is told by the rules about starts.
  const isTold = trouble !== undefined && TROUBLES.has(trouble.meaning.kind);
  return {
    title: `${rule.title}: ${vassal}`,
    severity: up || isTold ? 'info' : isOnce ? 'warning' : 'error',
    message: sentences(
      `The emperor saw ${vassal} end ${count(ends.length, 'time')}, and slowed it down because it had served nothing. That is proved.`,
      up ? 'Later it came up.' : 'No later line says that it came up.',
      trouble
        ? `Why it ends is inferred from a line before its end: ${trouble.text.slice(0, 120)}.`
        : 'Why it ends is in the lines of the vassal itself, and none of those here tells it.',
    ),
    confidence: 'certain',
    instance: null,
    ...NO_PROCESS,
    evidence: lines,
    against: [
      {
        hypothesis: 'it was stopped on purpose before anybody asked it for anything',
        because: isOnce ? 'nothing speaks against it' : `that does not happen ${ends.length} times`,
        line: last.line,
      },
    ],
    cannotSee: trouble ? [] : ['why the vassal ended'],
    fixes: [],
    next: [
      `uwsgi ${vassal}   # by hand, as the user of the vassal: it says what is wrong`,
      `look into the log of the vassal (its logto or daemonize) at ${list(['the time of the first of these lines'])}`,
    ],
    identity: ['vassal', vassal],
  };
}
