import {greatest} from '../extremes.ts';
import type {LogEvent} from '../timeline/event.ts';
import {groupBy} from '../timeline/group.ts';
import {precedes} from '../timeline/lookup.ts';
import {between} from '../timeline/time.ts';
import type {Instance, Process, Timeline} from '../timeline/timeline.ts';
import {counted, processName, processNames} from './deaths.ts';
import {heldIn} from './request-blocks-shutdown.ts';
import {type Evidence, type Finding, type Fix, NO_SETTING, type Rule} from './rule.ts';
import {coresOf, mayHave, numberOf} from './settings.ts';
import {capital, count, evidence, instanceName, list, numbers, proof, seconds, sentences, unique, was} from './wording.ts';
import {requestOf, requestsOf} from './work.ts';

/** Seconds after which a worker that still answers requests has survived. */
const SURVIVED = 10;

/** One process that overran the time limit, and what came of it. */
interface Struck {
  readonly process: Process;
  /** The first try of each episode. */
  readonly episodes: readonly [LogEvent, ...LogEvent[]];
  readonly tries: number;
  readonly requests: readonly LogEvent[];
  /** `told`: the log shows its end. `survived`: it works on. `open`: neither. */
  readonly fate: 'told' | 'survived' | 'open';
}

const rule: Rule = {
  id: 'harakiri-kills',
  title: 'A request took longer than harakiri allows, and its worker was struck for it',
  severity: 'error',
  docs: {
    sees:
      'HARAKIRI lines: a worker, mule, spooler or gateway that overran the time limit. All tries at one process count ' +
      'once, and the lines that name the running request go with it.',
    why:
      'Harakiri is the time limit for one request. When it is over the master kills the whole worker with SIGKILL: the client ' +
      'gets no answer, nothing is cleaned up, and with threads the requests of the other threads die along. The line ' +
      '"died, killed by signal 9" after it is the consequence and no sign of memory trouble.',
    remedy:
      'Find out what the request waits for (py-tracebacker prints its Python stack at that moment), give the calls it makes ' +
      'a time limit, or move the work into a queue. Raise harakiri only for requests that are meant to take that long.',
    limits:
      'With threads the limit is kept per worker: the request named may not be the one that overran, and another request can ' +
      'clear the timer. The fields of the named request are read without a lock and can be garbage. With ' +
      'harakiri-graceful-timeout the first strike asks, and the worker may survive it.',
    references: [
      'https://uwsgi-docs.readthedocs.io/en/latest/Options.html#harakiri',
      'https://uwsgi-docs.readthedocs.io/en/latest/FAQ.html',
      'unbit/uwsgi#2606',
    ],
  },
  settings: ['harakiri'],
  needs: {
    messages: [
      'uwsgi/harakiri',
      'uwsgi/mule-harakiri',
      'uwsgi/spooler-harakiri',
      'uwsgi/cron-harakiri',
      'uwsgi/gateway-harakiri',
      'uwsgi/harakiri-without-master',
    ],
    otherwise: 'no HARAKIRI line is in this log: either none struck, or harakiri is not set (it is off by default)',
  },
  *check(timeline) {
    for (const instance of timeline.instances) {
      const all = struckIn(timeline, instance);
      const struck = all.filter(({process}) => process.role === 'worker');
      if (struck.length > 0) yield describe(instance, struck);
      for (const helpers of groupBy(without(all, struck), ({process}) => process.role).values()) {
        yield describeHelpers(instance, helpers);
      }
    }
  },
};

export default rule;

function without(all: readonly Struck[], some: readonly Struck[]): readonly Struck[] {
  return all.filter((each) => !some.includes(each));
}

/** What runs beside the workers, and the option that limits it. */
const HELPERS: Readonly<Partial<Record<Process['role'], {readonly name: string; readonly option: string | null}>>> = {
  mule: {name: 'mule', option: 'mule-harakiri'},
  spooler: {name: 'spooler', option: 'spooler-harakiri'},
  gateway: {name: 'gateway', option: null},
  other: {name: 'cron job', option: 'cron-harakiri'},
};

/** No worker is struck here, but the work that was under way is cut. */
function describeHelpers(instance: Instance, struck: readonly [Struck, ...Struck[]]): Finding | null {
  const processes = struck.map(({process}) => process);
  const {name, option} = HELPERS[processes[0]?.role ?? 'other'] ?? {name: 'process', option: null};
  const lines = evidence(
    struck
      .slice(0, 4)
      .flatMap(({episodes: [strike], process}) => [
        proof(strike, `the time limit struck the ${name} (pid ${process.pid})`),
        ...(process.ended && process.ended !== strike ? [proof(process.ended, 'it is gone')] : []),
      ]),
  );
  if (!lines) return null;
  const which = struck.length === 1 ? `a ${name}` : `${struck.length} ${name}s`;
  return {
    title: `${capital(which)} took longer than ${struck.length === 1 ? 'its' : 'their'} time limit and ${was(struck.length)} struck for it`,
    message: sentences(
      `Harakiri struck ${which} (pid ${list(unique(processes.map(({pid}) => pid)))}). That is proved.`,
      'What it was working on was cut.',
      name === 'gateway'
        ? 'A gateway carries the connections of clients: those that went through it at that moment were cut with it.'
        : 'No worker and no request of a client is concerned.',
    ),
    severity: 'warning',
    confidence: 'certain',
    instance: instance.id,
    reload: null,
    pids: unique(processes.map(({pid}) => pid)),
    workers: [],
    evidence: lines,
    against: [],
    cannotSee: ['how far it had got', 'what it was waiting for'],
    fixes: [
      {
        ...NO_SETTING,
        effect: 'the work ends before the limit',
        safety: 'needs-code',
        why: 'Give what it calls a time limit of its own, and let it go on where it was cut.',
      },
      ...(option === null
        ? []
        : [
            {
              setting: option,
              section: 'uwsgi',
              value: null,
              effect: 'work that is meant to take long is let finish',
              since: null,
              safety: 'safe' as const,
              why: 'Raise it where the work is legitimate.',
            },
          ]),
    ],
    next: [`look into what the ${name} itself wrote just before`],
    identity: [instanceName(instance), 'harakiri', name],
  };
}

function struckIn(timeline: Timeline, instance: Instance): Struck[] {
  const leaving = new Set(heldIn(timeline, instance).map(({process}) => process));
  const found = instance.processes.flatMap((process): Struck[] => {
    const strikes = process.remarks.filter(({meaning}) => meaning.kind === 'process-forced' && meaning.deadline === 'harakiri');
    const [strike] = strikes;
    if (!strike || leaving.has(process)) return [];
    // Old versions do not count: they know SIGKILL only, so a process that is struck again has not yet gone of the first.
    const [opening = strike, ...later] = strikes.filter(({fields}) => fields.try === 1);
    return [
      {
        process,
        episodes: [opening, ...later],
        tries: strikes.length,
        requests: process.remarks.filter(({meaning}) => meaning.kind === 'request-running'),
        fate: fateOf(process, strikes.at(-1) ?? strike),
      },
    ];
  });
  return found.sort((a, b) => (precedes(first(a), first(b)) ? -1 : 1));
}

function first({episodes}: Struck): LogEvent {
  return episodes[0];
}

function fateOf(process: Process, last: LogEvent): Struck['fate'] {
  const {ended, segments} = process;
  const answeredAfter = segments.some(
    (segment) => precedes(last, segment.last) && last.at.latest !== null && segment.lastEnd > last.at.latest + SURVIVED * 1000,
  );
  if (answeredAfter) return 'survived';
  if (ended && between(last.at, ended.at).min > SURVIVED && process.forced?.deadline !== 'harakiri') return 'survived';
  return ended ? 'told' : 'open';
}

function describe(instance: Instance, struck: readonly Struck[]): Finding | null {
  const processes = struck.map(({process}) => process);
  const episodes = struck.reduce((sum, each) => sum + each.episodes.length, 0);
  const tries = struck.reduce((sum, each) => sum + each.tries, 0);
  const named = unique(struck.flatMap(({requests}) => requests).map(requestOf));
  const threaded = struck.filter(({process}) => (coresOf(process, instance) ?? 1) > 1);
  const graceful = struck.some(({process}) => process.remarks.some(({message}) => message === 'uwsgi/harakiri-graceful'));
  const running = span(struck);
  const waits = waitsOf(struck);
  const isVerbose = processes.some(({remarks}) => remarks.some(({message}) => message === 'uwsgi/harakiri-kernel'));
  const lines = evidence(struck.slice(0, 5).flatMap(linesOf));
  if (!lines) return null;
  const several = processes.length > 1;
  return {
    title: several ? `Requests took longer than harakiri allows, and ${counted(processes)} were struck for it` : rule.title,
    message: sentences(
      `Harakiri, the time limit for one request, struck ${processNames(processes)}${
        episodes > processes.length ? `, ${count(episodes, 'time')} in all` : ''
      }.`,
      fates(struck),
      tries > episodes &&
        `${count(tries, 'HARAKIRI line')} belong to ${count(episodes, 'strike')}: the master tries again every second until ` +
          'the process is gone, which takes long where it waits inside the kernel (a stalled disk or network file system).',
      named.length > 0 && `The log names what was running: ${list(named, 4)}${running ? `, ${running}` : ''}.`,
      named.length === 0 && 'No line names the request that was running.',
      threaded.length > 0 &&
        'The struck workers have several threads: the requests of the other threads were cut too, and the time limit is ' +
          'kept per worker, so any of the requests named may be the one that overran.',
      waits.length > 0 && `In the kernel the main thread waited in ${list(waits, 4)}.`,
      `That harakiri did this is proved${named.length > 0 ? '' : '; which request it was is not in this log'}.`,
    ),
    severity: struck.every(({fate}) => fate === 'survived') ? 'warning' : 'error',
    confidence: 'certain',
    instance: instance.id,
    reload: null,
    pids: unique(processes.map(({pid}) => pid)),
    workers: numbers(processes.filter(({role}) => role === 'worker')),
    evidence: lines,
    against: processes.some(({signal, ended}) => signal !== null && ended !== null)
      ? [
          {
            hypothesis: 'killed-from-outside',
            because: 'the HARAKIRI line for the same pid stands before the signal 9: the master sent it, not the memory limit',
            line: lines[0].at.line,
          },
        ]
      : [],
    cannotSee: [
      'what the request was waiting for (database, another service, a lock, the processor)',
      ...(threaded.length > 0 ? ['which of the requests in the threads overran, and whether the others were nearly done'] : []),
    ],
    fixes: fixesFor(instance, named, graceful),
    next: [
      named.length > 0
        ? `look for ${list(named, 3)} in the proxy's access log: these got an error or no answer`
        : "look into the proxy's access log for requests without an answer at that second",
      ...(isVerbose ? [] : ['set harakiri-verbose: it names the system call that the worker waits in']),
    ],
    identity: [instanceName(instance), 'harakiri'],
  };
}

function linesOf({process, episodes, requests, fate}: Struck): Evidence[] {
  const name = processName(process);
  return [
    ...episodes.slice(0, 1).map((event) => proof(event, `the time limit struck ${name}`)),
    ...requests.slice(0, 1).map((event) => proof(event, `${requestOf(event)} was running in ${name}`)),
    ...(process.ended && fate === 'told' ? [proof(process.ended, `${name} is gone`)] : []),
  ];
}

/** Whether it ended them: the HARAKIRI line itself does not tell. */
function fates(struck: readonly Struck[]): string {
  const of = (fate: Struck['fate']) => struck.filter((each) => each.fate === fate).map(({process}) => process);
  const [told, survived, open] = [of('told'), of('survived'), of('open')];
  return sentences(
    told.length > 0 &&
      (told.length === struck.length
        ? `${told.length === 1 ? 'It was' : 'They were'} ended by it, and whatever ran there was cut.`
        : `${capital(processNames(told))} ${was(told.length)} ended by it, and whatever ran there was cut.`),
    survived.length > 0 &&
      `${capital(processNames(survived))} survived: ${survived.length === 1 ? 'it answers' : 'they answer'} requests later, so ` +
        'the request ended on the first, gentle signal or by itself.',
    open.length > 0 &&
      `For ${processNames(open)} the log shows no end: it may ${mayBeGentle(struck) ? 'have been struck gently, ' : ''}be stuck in the ` +
        'kernel where no signal reaches, or the log ends first.',
  );
}

/** Since 2.0.22 the first strike may be a signal that the application can handle, and the line says so. */
function mayBeGentle(struck: readonly Struck[]): boolean {
  return struck.some(({episodes}) => episodes.some(({fields}) => fields.graceful === 'yes'));
}

/** Where in the kernel they waited (harakiri-verbose); none for one that runs, or where the kernel does not tell. */
function waitsOf(struck: readonly Struck[]): string[] {
  const details = struck.flatMap(({process}) => process.remarks.filter(({message}) => message === 'uwsgi/harakiri-kernel'));
  return unique(details.flatMap(({fields}) => (fields.name === 'wchan' && fields.value !== '0' ? [String(fields.value)] : [])));
}

/** The stamp is local time of a zone that nothing tells, the line itself tells UTC: they agree where little is between them. */
const SAME_ZONE = 900;

/** How long the named requests had been running, where that follows. */
function span(struck: readonly Struck[]): string | null {
  const waits = struck.flatMap(({requests}) => requests.map(({fields, at}) => (at.latest ?? -1) / 1000 - Number(fields.since)));
  if (waits.length === 0 || !waits.every((wait) => wait >= 0 && wait < SAME_ZONE)) return null;
  return `for ${waits.length > 1 ? 'up to' : 'about'} ${seconds(greatest(waits))} when it struck`;
}

function fixesFor(instance: Instance, named: readonly string[], graceful: boolean): Fix[] {
  const limit = numberOf(instance, 'harakiri');
  const usual = requestsOf(instance);
  const fixes: Fix[] = [
    {
      ...NO_SETTING,
      effect: 'the request ends, with an answer, before the limit; the worker lives',
      safety: 'needs-code',
      why:
        `Give the calls that ${named.length > 0 ? list(named, 2) : 'the request'} makes (database, HTTP) a time limit shorter ` +
        `than harakiri${limit !== null && limit > 1 ? ` (${limit} s)` : ''}, or move the work to a queue and answer at once.`,
    },
    {
      setting: 'py-tracebacker',
      section: 'uwsgi',
      value: '/tmp/tb',
      effect: 'the next HARAKIRI shows the Python stack: the line of code that waits',
      since: null,
      safety: 'safe',
      why: 'Nothing else in the log tells what the request was waiting for. It needs threads (enable-threads).',
    },
    ...(graceful
      ? []
      : [
          {
            setting: 'harakiri-graceful-timeout',
            section: 'uwsgi',
            value: '5',
            effect: 'the worker gets a signal that Python can handle first, and SIGKILL only 5 s later',
            since: '2.0.22',
            safety: 'safe' as const,
            why: 'The application can then log where it is, roll back and answer with an error.',
          },
        ]),
    {
      setting: 'harakiri',
      section: 'uwsgi',
      value: null,
      effect:
        'requests that are meant to take long succeed; a request that hangs holds its worker for longer' +
        (usual.count > 0 ? ` (the longest that ended in this log took ${seconds(usual.longest)})` : ''),
      since: null,
      safety: 'safe',
      why: 'Raise it only where the work is legitimate. For single paths, a route that sets the limit leaves the rest as it is.',
    },
  ];
  return fixes.filter(({since}) => mayHave(instance, since));
}
