/** Which servers of one log put something of their own in front of their lines, so that each line tells whose it is. */
import {type EventKind, type LogEvent, OWN_DATE} from '../event.ts';

/** The mark of the server that wrote a line: empty where those of its log are not told apart, null where this line does not tell. */
export type Marks = (event: LogEvent) => string | null;

/** Of so many messages a name has to be in front that no master has told: the application's output may look like one. */
const FEWEST = 3;

/** Of a server that has none, where others have one. They write some lines without it: a process that a line names tells more. */
export const BARE = ' ';

interface MarkedLog {
  /** By pid. Masters tell theirs, and so whose mark is whose. */
  readonly masters: Map<number, string>;
  /** Indexes of the first and the last line of each mark, and the messages behind it. */
  readonly spans: Map<string, {readonly from: number; to: number; readonly messages: Set<string>}>;
  /** No master has changed its mark. */
  isSteady: boolean;
  /** The name of the configuration, which is told before any option is read: its mark is that of the banner that follows. */
  announced: LogEvent | null;
}

/** Where two masters of uWSGI with different marks run at the same time. `logOf` tells which log a line is of. */
export function marksOf(events: readonly LogEvent[], logOf: (event: LogEvent) => string): Marks {
  const logs = new Map<string, MarkedLog>();
  const announced = new Map<LogEvent, string>();
  for (const [at, event] of events.entries()) {
    if (ownMark(event) === null) continue;
    const key = logOf(event);
    const log: MarkedLog = logs.get(key) ?? {masters: new Map(), spans: new Map(), isSteady: true, announced: null};
    logs.set(key, log);
    if (isAnnouncement(event)) log.announced = event;
    else take(log, event, at, announced);
  }
  const telling = new Map([...logs].filter(([, log]) => tellsApart(log)).map(([key, log]) => [key, serversIn(log)]));
  if (telling.size === 0) return () => '';
  return (event) => {
    const marks = event.message.startsWith('uwsgi/') ? telling.get(logOf(event)) : undefined;
    const mark = isAnnouncement(event) ? (announced.get(event) ?? null) : ownMark(event);
    if (marks === undefined) return '';
    const known =
      mark === null || marks.has(mark) ? mark : ([...marks].find((other) => other !== '' && mark.endsWith(other)) ?? null);
    return known === '' ? BARE : known;
  };
}

/** What uWSGI writes with a date only where log-date says so. Other messages have one in some versions, or in all. */
const UNDATED: ReadonlySet<EventKind> = new Set([
  'starting',
  'setting',
  'master-started',
  'master-re-executed',
  'process-started',
  'process-asked',
  'process-ended',
  'reload-began',
  're-executing',
  'stop-began',
  'stop-ended',
]);

function ownMark({message, meaning, mark}: LogEvent): string | null {
  const isOther = mark === OWN_DATE && (meaning.stamped === true || !UNDATED.has(meaning.kind));
  return !message.startsWith('uwsgi/') || isOther ? null : mark;
}

function isAnnouncement({meaning}: LogEvent): boolean {
  return meaning.kind === 'setting' && meaning.setting === 'configuration';
}

function take(log: MarkedLog, {message, mark, pid, meaning}: LogEvent, at: number, announced: Map<LogEvent, string>): void {
  if (mark === null) return;
  if (meaning.kind === 'starting' && log.announced !== null) {
    announced.set(log.announced, mark);
    log.announced = null;
  }
  const span = log.spans.get(mark) ?? {from: at, to: at, messages: new Set()};
  log.spans.set(mark, span);
  span.to = at;
  span.messages.add(message);
  if (pid === null || (meaning.kind !== 'master-started' && meaning.kind !== 'master-re-executed')) return;
  if ((log.masters.get(pid) ?? mark) !== mark) log.isSteady = false;
  log.masters.set(pid, mark);
}

/**
 * The marks of masters, and names that somebody else has in front: one whose start is not in the log. A server that has two
 * (log-encoder and log-prefix) writes some lines with the first one alone; output without a line end may stand before a mark.
 */
function serversIn({masters, spans}: MarkedLog): ReadonlySet<string> {
  const names = [...spans].filter(([mark, {messages}]) => isName(mark) && messages.size >= FEWEST).map(([mark]) => mark);
  const withoutOutput = (mark: string) => names.find((name) => name !== mark && mark.endsWith(name)) ?? mark;
  const marks = [...new Set([...masters.values(), ...names].map(withoutOutput))];
  return new Set(marks.filter((mark) => mark === '' || !marks.some((other) => other !== mark && other.startsWith(mark))));
}

/** No date, and nothing that may be a part of one. */
function isName(mark: string): boolean {
  return mark !== '' && mark !== OWN_DATE && !/\d/.test(mark);
}

/** Servers that follow one another may have different marks, too; not so different names. */
function tellsApart(log: MarkedLog): boolean {
  const {spans, isSteady} = log;
  const own = [...serversIn(log)].flatMap((mark) => {
    const span = spans.get(mark);
    return span === undefined ? [] : {...span, mark};
  });
  const areTwo = (a: (typeof own)[number], b: (typeof own)[number]) =>
    a.mark !== b.mark && ((isName(a.mark) && isName(b.mark)) || (a.from < b.to && b.from < a.to));
  return isSteady && own.some((a) => own.some((b) => areTwo(a, b)));
}
