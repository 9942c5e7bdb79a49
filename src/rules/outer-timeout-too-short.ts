import type {LogEvent} from '../timeline/event.ts';
import {precedes} from '../timeline/lookup.ts';
import type {Duration} from '../timeline/time.ts';
import type {Instance, Process, Reload, Timeline} from '../timeline/timeline.ts';
import {waitsFor} from './asgi-requests.ts';
import {stopsAtDefault} from './compose-waits.ts';
import {type Grace, graceOf, MARGIN} from './grace.ts';
import {linesOf} from './line-owners.ts';
import {goodbyeBefore, heldAfterGoodbye, overdueArbiter} from './master-overdue.ts';
import {wrongOrder} from './order-of-limits.ts';
import {
  inferredTie,
  limitTold,
  type Outer,
  outerName,
  outerOf,
  patienceOf,
  serverName,
  serverOf,
  stopsTakenAsReload,
} from './outer.ts';
import type {Evidence, Finding, Fix, Rule, Undecided} from './rule.ts';
import {isOn} from './settings.ts';
import {count, duration, evidence, instanceName, list, proof, seconds, sentences, span, unique} from './wording.ts';

const rule: Rule = {
  id: 'outer-timeout-too-short',
  title: 'The outer supervisor killed the server before its own deadline could act',
  severity: 'error',
  docs: {
    sees:
      'A program that supervisord, systemd or a platform killed because its time for a stop was over, while the server inside was ' +
      'still waiting for its workers, or should have been gone for long; and time limits, known from the log or the configuration, that are longer inside than outside.',
    why:
      'Supervisors nest, and each has a patience of its own. The inner one ends a worker that hangs and then leaves in good order; ' +
      'the outer one kills the master with SIGKILL, and the workers, their requests and the port are left to themselves. So each ' +
      'limit must be shorter than the next one outwards: longest request < graceful timeout or mercy < stopwaitsecs < ' +
      'TimeoutStopSec < time limit of the container. The defaults are not: uWSGI waits 60 s, gunicorn 30 s, supervisord and docker 10 s.',
    remedy:
      'Make the outer limit longer than the inner one by five seconds or more, or the inner one shorter; and find out what held ' +
      'the workers, for a stop without a hang needs neither.',
    limits:
      'The inner patience may be a default that a configuration changes; then it is called likely. Without the log of the server ' +
      'itself it cannot be told whether it was still waiting, had never got the signal, or took it for a reload.',
    references: [
      'http://supervisord.org/configuration.html#program-x-section-values',
      'https://www.freedesktop.org/software/systemd/man/latest/systemd.service.html#TimeoutStopSec=',
      'https://uwsgi-docs.readthedocs.io/en/latest/Options.html#worker-reload-mercy',
      'https://docs.gunicorn.org/en/stable/settings.html#graceful-timeout',
    ],
  },
  settings: ['stopwaitsecs', 'TimeoutStopSec', 'stop_grace_period', 'terminationGracePeriodSeconds'],
  needs: {
    messages: [
      'supervisord/killing',
      'supervisord/stopped',
      'supervisord/spawned',
      'systemd/killing-process',
      'systemd/stop-timeout',
      'systemd/stopping',
      'systemd/stopped',
      'heroku/exit-timeout',
      'heroku/stopping',
      'container/time-up',
      'container/killed',
      'container/stop-asked',
      'container/grace-began',
      'container/stopped-by-compose',
      'procfile/killing',
    ],
    otherwise: 'no line of an outer supervisor is in this log: give the log of supervisord or the journal of the unit as well',
  },
  *check(timeline) {
    const explained = new Set(stopsTakenAsReload(timeline).map(({instance}) => instance));
    const told = new Set(timeline.instances.filter((instance) => explained.has(instance)).map(nameOfProgram));
    for (const cuts of byProgram(timeline)) {
      const own = cuts.filter(({server}) => server === null || !explained.has(server));
      for (const {server} of cuts) if (server) told.add(nameOfProgram(server));
      if (own.length > 0) yield describe(own);
    }
    yield stopsAtDefault(timeline);
    for (const instance of timeline.instances) {
      // A server that was stopped and started again has the same configuration.
      const finding = told.has(nameOfProgram(instance)) ? null : wrongOrder(timeline, instance);
      yield finding;
      if (finding) told.add(nameOfProgram(instance));
    }
  },
};

export default rule;

function nameOfProgram({id, runsAs}: Instance): string {
  return runsAs === null ? id : `${runsAs.instance} ${runsAs.name}`;
}

/** A program that was killed at the end of a stop. */
interface Cut {
  readonly outer: Outer;
  readonly server: Instance | null;
  /** The stop that it was at; null where its own log shows none. */
  readonly stop: Reload | null;
  /** The line by which the server took note; null where its own log has none. */
  readonly noted: LogEvent | null;
  /** The line that says what it waited for after that; null where none does. */
  readonly pending: LogEvent | null;
}

function byProgram(timeline: Timeline): Cut[][] {
  const groups = new Map<string, Cut[]>();
  for (const supervisor of timeline.instances) {
    for (const life of supervisor.processes) {
      if (life.role !== 'program' || life.end !== 'forced' || life.forced?.deadline !== 'stop-timeout') continue;
      // Killed along with its supervisor, by whoever is outside of both.
      if (supervisor.supervisor === 'supervisord' && life.killedBy !== 'supervisord') continue;
      const server = serverOf(timeline, life);
      const outer = (server === null ? null : outerOf(timeline, server)) ?? {supervisor, life, inferred: false};
      const stop = server?.reloads.findLast(({kind}) => kind === 'stop') ?? null;
      const key = `${supervisor.supervisor} ${life.program}`;
      const noted = stop?.began ?? (server === null ? null : noteOf(timeline, server, life));
      const pending = server === null || noted === null ? null : pendingOf(timeline, server, noted);
      groups.set(key, [...(groups.get(key) ?? []), {outer, server, stop, noted, pending}]);
    }
  }
  return [...groups.values()];
}

/** What servers say when they take up a stop: not all have a line for the whole instance. */
const NOTES: ReadonlySet<LogEvent['meaning']['kind']> = new Set([
  'stop-began',
  'process-asked',
  'process-leaving',
  'requests-pending',
  'helper-stopping',
]);

function noteOf(timeline: Timeline, server: Instance, {asked}: Process): LogEvent | null {
  const isBefore = (event: LogEvent) =>
    asked === null ||
    (event.input === asked.event.input
      ? precedes(event, asked.event)
      : event.at.latest !== null && asked.at.earliest !== null && event.at.latest < asked.at.earliest - 1000);
  return (
    timeline.events.find(
      (event) =>
        NOTES.has(event.meaning.kind) &&
        event.message.startsWith(`${server.supervisor}/`) &&
        event.stream === server.name &&
        !isBefore(event),
    ) ?? null
  );
}

function pendingOf(timeline: Timeline, server: Instance, noted: LogEvent): LogEvent | null {
  const isLater = (event: LogEvent) => event.input === noted.input && !precedes(event, noted);
  return linesOf(timeline, server).findLast((event) => event.meaning.kind === 'requests-pending' && isLater(event)) ?? null;
}

/** A kill of a program, or several of the same, with what is told of them. */
interface Scene extends Cut {
  readonly cuts: readonly Cut[];
  readonly grace: Grace | null;
  /** From the stop to the kill, over all of them; null where no line tells. */
  readonly patience: Duration | null;
}

function describe(cuts: readonly Cut[]): Finding | Undecided | null {
  const cut = cuts.findLast(({server}) => server !== null) ?? cuts.at(-1);
  if (!cut?.outer.life.forced) return null;
  const {outer, server, stop, noted} = cut;
  const {supervisor, life} = outer;
  const goodbye = goodbyeBefore({life, stop});
  if (server !== null && goodbye !== null) return heldAfterGoodbye({supervisor, life, server}, goodbye);
  const grace = server === null ? null : graceOf(server, noted);
  const patience = span(cuts.map((each) => each.outer.life.forced?.patience ?? null).filter((each) => each !== null));
  const scene: Scene = {...cut, cuts, grace, patience};
  return overdue(scene) ?? finding(scene);
}

/** The server had more time than its own patience takes. */
function overdue({outer: {supervisor, life}, server, stop, noted, grace, patience}: Scene): Finding | Undecided | null {
  const waited = patience?.max ?? null;
  if (server === null || grace === null || waited === null || waited <= grace.cost + 1) return null;
  const held =
    server.supervisor === 'gunicorn' && noted !== null && !server.processes.some(({killedBy}) => killedBy === 'arbiter')
      ? overdueArbiter({supervisor, life, server, stop, noted, waited, patience: grace.text, isKnown: grace.isKnown})
      : null;
  return (
    held ?? {
      undecided:
        `${outerName(supervisor)} killed ${programName(life)} after ${seconds(waited)}, longer than its own patience with ${grace.whom} ` +
        `(${grace.setting}, ${grace.text}): what held the master then, no line tells.`,
    }
  );
}

function finding(scene: Scene): Finding | null {
  const {cuts, outer, server, stop, noted, grace, patience} = scene;
  const {supervisor, life} = outer;
  const lines = evidence(proofs(cuts, grace), 10);
  if (!lines) return null;
  const waited = patience?.max ?? null;
  const isStopping = noted !== null;
  const isSure = grace?.isKnown && waited !== null && inferredTie(server, outer) === null;
  return {
    title: titleOf(scene),
    message: messageOf(scene),
    confidence: !isStopping ? 'possible' : isSure ? 'certain' : 'likely',
    instance: (server ?? supervisor).id,
    reload: cuts.length > 1 ? null : (stop?.id ?? null),
    pids: unique(cuts.map((each) => each.outer.life.pid)),
    workers: [],
    evidence: lines,
    against: against(scene),
    cannotSee: [
      ...(isStopping ? ['what held the workers: the kill came before the server named one'] : []),
      'requests that were cut: they have no line',
    ],
    fixes: [
      isStopping ? bounded(server) : null,
      longerOutside(scene),
      isStopping ? shorterInside(grace, waited ?? limitTold(life)) : null,
      isStopping ? wholeGroup(scene) : null,
    ].filter((fix) => fix !== null),
    next: [
      ...(server === null ? [`give the log of ${programName(life)} itself as well: its lines around the kill decide`] : []),
      isStopping
        ? `stop it once with a longer limit: ${server?.supervisor === 'uwsgi' ? 'uWSGI then names the workers that do not leave (NO MERCY)' : 'what it waits for shows, or the server ends it itself'}`
        : `send the signal by hand (kill -TERM ${life.pid > 0 ? 'to the pid of the program' : 'to the main process'}) and see whether the server takes note`,
    ],
    identity: [server ? instanceName(server) : supervisor.supervisor, life.program ?? '', 'outer timeout'],
  };
}

function titleOf({outer: {supervisor, life}, server, noted, grace}: Scene): string {
  const killed = `${outerName(supervisor)} killed ${programName(life)}`;
  if (noted === null) return `${killed}: it had not stopped in time`;
  return grace === null
    ? `${killed} while it was still stopping`
    : `${killed} before ${serverName(server)} could end its ${grace.whom} itself`;
}

function messageOf({cuts, outer, server, noted, pending, grace, patience}: Scene): string {
  const {supervisor, life} = outer;
  const limit = patienceOf(supervisor.supervisor, life.program);
  const told = limitTold(life);
  const isStopping = noted !== null;
  const tries = life.forced?.tries ?? 0;
  return sentences(
    `${outerName(supervisor)} ${life.asked ? `asked ${programName(life)} to stop and killed it` : `killed ${programName(life)}`} with SIGKILL ${waitedText(patience)}${
      cuts.length > 1 ? `, ${count(cuts.length, 'time')}` : ''
    }: that is ${limit.name}.`,
    !life.asked &&
      (told === null
        ? 'The line with which the stop began is not in this log, so how long it waited is not known.'
        : `The line with which the stop began is not in this log; its own line names a limit of ${seconds(told)}.`),
    isStopping &&
      grace !== null &&
      `${serverName(server)} had taken up the stop and was waiting for its ${grace.whom}; its own patience with them (${grace.setting}) is ` +
        `${grace.text}, so it never came to end them itself.`,
    isStopping &&
      grace === null &&
      `${serverName(server)} had taken up the stop and had not come to its end${pendingText(pending)}.`,
    !isStopping &&
      server !== null &&
      'The log of the server shows no sign that it was asked to stop: the signal may never have reached it.',
    server === null && 'What the program was doing meanwhile, its own log would tell: no log here is known to be that.',
    survivorsText(cuts, server, supervisor),
    tries > 1 &&
      supervisor.supervisor === 'supervisord' &&
      `SIGKILL was sent ${tries} times: the process does not go even then. It waits inside the kernel (a dead disk or network file system), or the pid is that of another namespace.`,
    'That it was killed is proved.',
    isStopping && grace !== null && !grace.isKnown && 'The inner patience is the default and may be set otherwise.',
    inferredTie(server, outer),
  );
}

function pendingText(pending: LogEvent | null): string {
  return pending?.message.startsWith('uvicorn/') ? `: it waited for ${waitsFor(pending)}` : '';
}

function survivorsText(cuts: readonly Cut[], server: Instance | null, {supervisor}: Instance): string | null {
  const survivors = unique(cuts.flatMap((each) => (each.server ? leftBehind(each.server) : [])));
  if (survivors.length === 0) return null;
  const unseen = `No line shows the end of ${count(survivors.length, 'worker')} (pid ${list(survivors.map(({pid}) => pid))})`;
  if (server !== null && isOn(server, 'killasgroup')) return `${unseen}: with killasgroup they were killed along.`;
  return supervisor === 'supervisord'
    ? `${unseen}: SIGKILL goes to the master alone unless killasgroup is set, and what is left keeps the port.`
    : `${unseen}.`;
}

function waitedText(patience: ReturnType<typeof span>): string {
  return patience === null || (patience.max === null && patience.min === 0)
    ? 'when its time was over'
    : `after ${duration(patience)}`;
}

/** Heroku's own lines may come without the dyno that they are about. */
function programName({program}: Process): string {
  return program ? program : 'the program';
}

function leftBehind({processes}: Instance): Process[] {
  return processes.filter(({role, end}) => role === 'worker' && (end === 'lost' || end === 'running'));
}

function proofs(cuts: readonly Cut[], grace: Grace | null): Evidence[] {
  return cuts.flatMap(({outer: {life}, noted, pending}) => [
    ...(life.forced
      ? [
          proof(
            life.forced.event,
            `its patience is over: ${programName(life)}${life.pid > 0 ? ` (pid ${life.pid})` : ''} is killed`,
          ),
        ]
      : []),
    ...(life.asked ? [proof(life.asked.event, `${programName(life)} is asked to stop`)] : []),
    ...(noted ? [proof(noted, 'the server takes up the stop')] : []),
    ...(pending && pending !== noted ? [proof(pending, 'what it waits for')] : []),
    ...(grace?.where ? [proof(grace.where, `the inner patience: ${grace.setting} is ${grace.seconds} s`)] : []),
    ...(life.ended ? [proof(life.ended, 'the master is gone')] : []),
  ]);
}

function against({server, noted, outer}: Cut): Finding['against'] {
  const {event} = outer.life.forced ?? {};
  if (noted !== null) {
    return [
      {
        hypothesis: 'stop-became-reload',
        because: 'the server says that it stops, not that it reloads',
        line: noted.line,
      },
    ];
  }
  return [
    {
      hypothesis: 'stop-became-reload',
      because:
        server === null
          ? 'a uWSGI without die-on-term takes SIGTERM as a reload; its own log decides'
          : 'no brutal reload is in the log of the server',
      line: null,
    },
    {
      hypothesis: 'the signal never reached the server (a shell without exec, a wrapper, a wrong pid)',
      because: server === null ? 'it fits as well' : 'it fits best where the server shows no sign of a stop',
      line: event?.line ?? null,
    },
  ];
}

function longerOutside({outer: {supervisor, life}, noted, grace}: Scene): Fix | null {
  const {setting, section} = patienceOf(supervisor.supervisor, life.program);
  if (setting === null) return null;
  const isStopping = noted !== null;
  return {
    setting,
    section,
    value: grace === null || !isStopping ? null : String(grace.cost + MARGIN),
    effect: !isStopping
      ? 'if the server was still at its own stop, it can come to the end of it; if it never began one, this changes nothing'
      : grace === null
        ? 'the server can finish what it waits for, if that ever ends'
        : `a ${grace.whom === 'programs' ? 'program' : 'worker'} that hangs is ended by the server after ${grace.cost} s, and the stop is complete before the limit`,
    since: null,
    safety: 'safe',
    why: 'It must be longer than the inner patience, and shorter than the next limit outwards.',
  };
}

/** `limit`: the outer one, in seconds, where it is known. One that is short itself leaves no room for a shorter one. */
function shorterInside(grace: Grace | null, limit: number | null): Fix | null {
  if (grace === null || (limit !== null && limit < 2 * MARGIN)) return null;
  return {
    setting: grace.setting,
    section: grace.setting === 'worker-reload-mercy' ? 'uwsgi' : null,
    value: null,
    effect:
      limit === null
        ? 'the server ends its workers before the outer limit strikes'
        : `below ${Math.max(1, Math.floor(limit) - 2)} s, the server ends its workers before the outer limit of ${seconds(limit)} strikes`,
    since: null,
    safety: 'may-cut-requests',
    why: 'The other way round: it must still be longer than the requests that are to be finished.',
  };
}

function wholeGroup({outer: {supervisor, life}, server, grace}: Scene): Fix | null {
  if (supervisor.supervisor !== 'supervisord' || grace === null || (server !== null && isOn(server, 'killasgroup'))) return null;
  return {
    setting: 'killasgroup',
    section: patienceOf(supervisor.supervisor, life.program).section,
    value: 'true',
    effect: 'if it comes to a kill, no worker survives its master and keeps the port',
    since: null,
    safety: 'may-cut-requests',
    why: 'SIGKILL then goes to the whole process group. It mends the consequence, not the cause.',
  };
}

function bounded(server: Instance | null): Fix | null {
  if (server?.supervisor !== 'uvicorn') return null;
  return {
    setting: 'timeout_graceful_shutdown',
    section: null,
    value: null,
    effect: 'set below the outer limit, connections that are still open are cut by uvicorn, which then leaves in good order',
    since: '0.22.0',
    safety: 'may-cut-requests',
    why: 'Without it uvicorn waits for open connections and background tasks without any limit.',
  };
}
