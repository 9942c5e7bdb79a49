import {greatest} from '../extremes.ts';
import type {LogEvent} from '../timeline/event.ts';
import {precedes} from '../timeline/lookup.ts';
import {type Instant, isExact} from '../timeline/time.ts';
import type {Instance, Process, Reload, Timeline} from '../timeline/timeline.ts';
import {loneDeaths, processName} from './deaths.ts';
import {type Finding, type Fix, NO_PROCESS, NO_SETTING, type Rule} from './rule.ts';
import {count, evidence, kindOf, list, occasions, proof, seconds, sentences} from './wording.ts';

/** Seconds of doubt that do not matter. */
const WIDE = 10;

/** Something that went wrong and whose time the log leaves open. */
interface Gap {
  readonly at: LogEvent;
  readonly what: string;
  /** Seconds within which it can have been; null where that is open. */
  readonly width: number | null;
}

const rule: Rule = {
  id: 'log-hides-times',
  title: 'The lines that matter here carry no time',
  severity: 'info',
  docs: {
    sees:
      'A reload, a stop or a death that went wrong, whose beginning or length the log leaves open by more than 10 s because ' +
      'its lines have no time.',
    why:
      'Only some lines of uWSGI carry a time. "...gracefully killing workers...", "DAMN ! worker died" and most others have none, ' +
      'so in a quiet log nobody can tell when a reload began, how long a worker was waited for, or which line of the kernel ' +
      'belongs to a death.',
    remedy:
      'Set log-date: then every line of uWSGI itself has a time. Or read the log through something that stamps each line as it ' +
      'comes: journald, docker logs -t, or log-master with a logger that does.',
    limits:
      'The option log-date stamps neither request lines nor the lines of the application. It tells no time zone. Output that is buffered ' +
      'or shipped gets the time of its arrival from an outer stamp.',
    references: [
      'https://uwsgi-docs.readthedocs.io/en/latest/Options.html#log-date',
      'https://docs.docker.com/reference/cli/docker/container/logs/',
    ],
  },
  settings: ['log-date', 'disable-logging'],
  needs: null,
  *check(timeline) {
    const gaps = timeline.instances.flatMap((instance) => gapsIn(timeline, instance));
    if (gaps.length > 0) yield describe(timeline, gaps);
  },
};

export default rule;

function gapsIn(timeline: Timeline, instance: Instance): Gap[] {
  const reloads = instance.reloads.filter(isTroubled).flatMap((reload) => gapOf(reload));
  const dead = [...loneDeaths(timeline, instance, 'killed'), ...loneDeaths(timeline, instance, 'crashed')];
  return [...reloads, ...dead.flatMap(deathGap)].sort((a, b) => (precedes(a.at, b.at) ? -1 : 1));
}

/** What the line itself tells: no time would add to it. */
const EXPLAINED: ReadonlySet<string> = new Set(['no-app', 'app-load-failed', 'path-missing']);

function isTroubled({workers, outcome, silence, ended}: Reload): boolean {
  const isCut = outcome === 'failed' && !EXPLAINED.has(ended?.meaning.kind ?? '');
  return workers.some(({end}) => end === 'forced') || isCut || (outcome === 'unfinished' && silence.min > WIDE);
}

function gapOf(reload: Reload): Gap[] {
  const {began, startedAt, duration, ended} = reload;
  if (isExact(began.at)) return [];
  const begin = widthOf(startedAt);
  const length = ended === null ? 0 : duration.max === null ? null : duration.max - duration.min;
  if (begin !== null && begin <= WIDE && length !== null && length <= WIDE) return [];
  const width = begin === null || length === null ? null : Math.max(begin, length);
  return [{at: began, what: `when a ${kindOf(reload)} began, and so how long its workers were waited for`, width}];
}

function deathGap(process: Process): Gap[] {
  const {ended, endedAt} = process;
  if (!ended || isExact(ended.at)) return [];
  const width = widthOf(endedAt);
  return width !== null && width <= WIDE
    ? []
    : [
        {
          at: ended,
          what: `when ${processName(process)} died, and so which line of the kernel or of the proxy belongs to it`,
          width,
        },
      ];
}

function widthOf({earliest, latest}: Instant): number | null {
  return earliest === null || latest === null ? null : (latest - earliest) / 1000;
}

function describe(timeline: Timeline, gaps: readonly Gap[]): Finding | null {
  const lines = evidence(
    gaps
      .slice(0, 6)
      .map(({at, what, width}) => proof(at, `no time: ${what}${width === null ? '' : ` (within ${seconds(width)})`}`)),
  );
  if (!lines) return null;
  const reloads = timeline.reloads.filter((reload) => isTroubled(reload) && gapOf(reload).length > 0);
  const deaths = gaps.length - reloads.length;
  const open = gaps.filter(({width}) => width === null).length;
  const widest = Math.max(0, greatest(gaps.map(({width}) => width ?? 0)));
  const isUwsgi = gaps.some(({at}) => at.message.startsWith('uwsgi/'));
  return {
    title: rule.title,
    message: sentences(
      `Something went wrong here, and the lines that tell of it have no time: ${list([
        ...(reloads.length > 0 ? [occasions(reloads)] : []),
        ...(deaths > 0 ? [count(deaths, 'death')] : []),
      ])}.`,
      open > 0 ? `For ${open} of ${gaps.length} the time is open on one side.` : null,
      widest > 0 && `Where it is bounded, it is so to within ${seconds(widest)}.`,
      `With times the log would tell ${list([
        ...(reloads.length > 0 ? ['when it began, how long each worker was waited for, and whether that is the mercy'] : []),
        ...(deaths > 0 ? ['which request, deployment or line of the kernel belongs to a death'] : []),
      ])}.`,
    ),
    confidence: 'certain',
    instance: null,
    ...NO_PROCESS,
    evidence: lines,
    against: [],
    cannotSee: gaps.slice(0, 3).map(({what}) => what),
    fixes: fixesFor(isUwsgi),
    next: [
      'journalctl -u <unit> -o short-iso-precise   # where it runs under systemd: the same lines with a time',
      'docker logs -t <container>   # where it runs in a container',
    ],
    identity: ['times'],
  };
}

function fixesFor(isUwsgi: boolean): Fix[] {
  const outer: Fix = {
    ...NO_SETTING,
    effect: 'every line, those of the application as well, has the time at which it was written',
    safety: 'safe',
    why: 'Read the log through journald or docker logs -t, which stamp each line as it comes.',
  };
  if (!isUwsgi) return [outer];
  return [
    {
      setting: 'log-date',
      section: 'uwsgi',
      value: 'true',
      effect: 'every line of uWSGI itself has a time; request lines have their own',
      since: null,
      safety: 'safe',
      why: 'Leave it at true: a format with % signs is expanded by the ini file, and then no line has a usable time.',
    },
    {
      setting: 'log-master',
      section: 'uwsgi',
      value: 'true',
      effect: 'with a log-encoder that has the time, every line has one, those of the application as well',
      since: null,
      safety: 'safe',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of uWSGI
      why: 'By itself it stamps nothing of the application. Add log-encoder = format ${strftime:%%Y-%%m-%%d %%H:%%M:%%S} ${msgnl}, and leave log-date away.',
    },
    outer,
  ];
}
