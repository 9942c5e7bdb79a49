import type {LineRef} from '../timeline/event.ts';
import {precedes, processesAskedBy} from '../timeline/lookup.ts';
import type {Instance, Process, Setting} from '../timeline/timeline.ts';
import {costOf, mercyOf, mercyText} from './mercy.ts';
import {type Finding, NO_SETTING, type Rule} from './rule.ts';
import {setting, versionAt, versionWithin, written} from './settings.ts';
import {
  concerning,
  count,
  duration,
  evidence,
  instanceName,
  isBounded,
  list,
  nameOf,
  proof,
  seconds,
  sentences,
  span,
  unique,
} from './wording.ts';

const rule: Rule = {
  id: 'mercy-ineffective',
  title: 'The mercy that was set is not the one that governs here',
  severity: 'warning',
  docs: {
    sees:
      'A patience that the configuration sets and that did not decide how long workers were waited for: reload-mercy in place of ' +
      "worker-reload-mercy; gunicorn's graceful_timeout at a reload that timeout ended; a graceful stop of a uWSGI version that does not look at it.",
    why:
      'The name misleads: reload-mercy is for daemons, vassals and the emperor, and has no effect on workers, which ' +
      'worker-reload-mercy (60 s by default) governs at every reload, chain reload, stop and recycling. At a HUP gunicorn up to ' +
      '23 never enforces graceful_timeout. uWSGI 2.0.27 to 2.0.30 waits for its workers one by one at a graceful stop, without ' +
      'looking at any mercy.',
    remedy: 'Set the option that governs, and leave the other one out.',
    limits:
      'It needs the configuration, from a file or as the server prints it (show-config). What the log shows to be in force goes ' +
      'before what a file says.',
    references: [
      'https://uwsgi-docs.readthedocs.io/en/latest/Options.html#worker-reload-mercy',
      'https://uwsgi-docs.readthedocs.io/en/latest/Options.html#reload-mercy',
      'unbit/uwsgi#2743',
      'https://docs.gunicorn.org/en/stable/settings.html#graceful-timeout',
    ],
  },
  settings: ['reload-mercy'],
  restsOnOwners: true,
  needs: {
    messages: [
      'uwsgi/starting',
      'uwsgi/worker-reload-mercy',
      'uwsgi/no-mercy',
      'uwsgi/graceful-shutdown',
      'uwsgi/gracefully-killing',
      'uwsgi/graceful-reload',
      'gunicorn/handling-signal',
    ],
    otherwise: 'no reload, no stop and no mercy is in this log',
  },
  *check(timeline) {
    for (const instance of timeline.instances) {
      if (instance.supervisor === 'uwsgi') yield wrongOption(instance) ?? blockingStop(instance);
      if (instance.supervisor === 'gunicorn') yield hupByTimeout(instance);
    }
  },
};

export default rule;

function isSet(known: Setting | null): known is Setting & {readonly where: LineRef} {
  return known !== null && known.where !== null && (known.from === 'log' || known.from === 'config');
}

/** uWSGI's worker-reload-mercy where nothing sets it. */
const DEFAULT_MERCY = 60;

/** reload-mercy is set, worker-reload-mercy is not. */
function wrongOption(instance: Instance): Finding | null {
  const set = setting(instance, 'reload-mercy');
  const wanted = Number(set?.value ?? Number.NaN);
  const mercy = mercyOf(instance);
  if (!isSet(set) || !Number.isFinite(wanted) || wanted === mercy.seconds) return null;
  // Another value than the default was set, and a line of the configuration shows any.
  if (mercy.seconds !== DEFAULT_MERCY || written(instance, 'worker-reload-mercy') !== null) return null;
  const killed = instance.processes.filter(({forced, end}) => forced?.deadline === 'mercy' && end === 'forced');
  const waits = span(killed.map(({forced}) => forced?.patience ?? null).filter(isBounded));
  const lines = evidence([
    proof(set.where, `reload-mercy is set to ${wanted} s: it does not govern workers`),
    ...(mercy.where ? [proof(mercy.where, `the mercy in force for workers is ${mercy.seconds} s`)] : []),
    ...killed
      .slice(0, 4)
      .flatMap((process) =>
        process.forced ? [proof(process.forced.event, `${nameOf(process)} was waited for until then`)] : [],
      ),
  ]);
  if (!lines) return null;
  const shorter = wanted < mercy.seconds;
  return {
    title: `reload-mercy = ${wanted} has no effect on workers: worker-reload-mercy governs, and it is ${mercy.seconds} s`,
    message: sentences(
      `The configuration sets reload-mercy to ${wanted} s. That option is for daemons, vassals and the emperor; how long a worker ` +
        `is waited for is worker-reload-mercy, here ${mercyText(mercy)}.`,
      killed.length > 0 &&
        `${count(killed.length, 'worker')} ${killed.length === 1 ? 'was' : 'were'} waited for until it ran out${
          waits === null ? '' : `, ${duration(waits)} each`
        }, in place of ${costOf(wanted)} s.`,
      killed.length === 0 && 'In this log no worker needed it.',
    ),
    severity: killed.length > 0 ? 'warning' : 'info',
    confidence: mercy.known === 'shown' || mercy.known === 'measured' ? 'certain' : 'likely',
    instance: instance.id,
    reload: null,
    ...concerning(killed),
    evidence: lines,
    against: [],
    cannotSee: [],
    fixes: [
      {
        setting: 'worker-reload-mercy',
        section: 'uwsgi',
        value: null,
        effect: `set to ${wanted}, a worker that does not leave is waited for ${costOf(wanted)} s, in place of ${costOf(mercy.seconds)} s`,
        since: null,
        safety: shorter ? 'may-cut-requests' : 'safe',
        why: 'This is the option that was meant. It bounds the wait; what holds the workers stays.',
      },
    ],
    next: [
      'uwsgi --ini <file> --show-config   # what is in force; the start-up line "your mercy for graceful operations" shows the one for workers',
    ],
    identity: [instanceName(instance), 'reload-mercy'],
  };
}

/** From 2.0.27 to 2.0.30 the master waits for each worker at a graceful stop and looks at no mercy meanwhile. */
function blockingStop(instance: Instance): Finding | null {
  const stop = instance.reloads.find(
    (reload) =>
      reload.kind === 'stop' &&
      // Without an end it is reload-unfinished's.
      reload.outcome === 'completed' &&
      reload.began.message === 'uwsgi/graceful-shutdown' &&
      versionWithin(instance, '2.0.27', '2.0.30', reload.began) &&
      processesAskedBy(instance, reload).every(({forced}) => forced?.deadline !== 'mercy') &&
      // A mule that had to be killed held it: mule-blocks-reload's.
      !instance.processes.some(({role, forced}) => role !== 'worker' && forced && precedes(reload.began, forced.event)) &&
      reload.duration.min > costOf(mercyOf(instance, reload.began).seconds) + 2,
  );
  if (!stop) return null;
  const mercy = mercyOf(instance, stop.began);
  const lines = evidence([
    proof(stop.began, 'the graceful stop begins'),
    ...(mercy.where ? [proof(mercy.where, `the mercy is ${mercy.seconds} s`)] : []),
    ...(stop.ended ? [proof(stop.ended, 'the stop is over')] : []),
  ]);
  if (!lines) return null;
  return {
    title: 'The mercy does not govern a graceful stop in this version of uWSGI',
    message: sentences(
      `The stop lasted ${seconds(stop.duration.min)} at least, although the mercy is ${mercyText(mercy)}, and no worker was killed for it: ` +
        `uWSGI ${versionAt(instance, stop.began)} waits for its workers one after the other at a graceful stop, without looking at ` +
        'the mercy. A worker that hangs holds it for ever.',
    ),
    confidence: 'likely',
    instance: instance.id,
    reload: stop.id,
    pids: [],
    workers: [],
    evidence: lines,
    against: [
      {
        hypothesis: 'a master that was held otherwise (a daemon, a full log pipe)',
        because: 'it fits as well; the fault of this version is enough to explain it',
        line: stop.began.line,
      },
    ],
    cannotSee: ['which worker holds it: this version prints no "buried" line then'],
    fixes: [
      {
        ...NO_SETTING,
        effect: 'workers that hang are killed when the mercy is over',
        safety: 'safe',
        why: 'Stop with SIGINT (or Q through the FIFO), or SIGTERM with die-on-term: that stop looks at the mercy. Or run a version outside 2.0.27 to 2.0.30.',
      },
    ],
    next: [],
    identity: [instanceName(instance), 'graceful stop'],
  };
}

/** A HUP, and `timeout` ended a worker long after graceful_timeout would have. */
function hupByTimeout(instance: Instance): Finding | null {
  const set = setting(instance, 'graceful_timeout');
  const wanted = Number(set?.value ?? Number.NaN);
  if (!isSet(set) || !Number.isFinite(wanted)) return null;
  const isLate = ({forced, asked}: Process) =>
    forced?.deadline === 'timeout' &&
    instance.reloads.some(({id, kind}) => kind === 'hup' && id === asked?.reload) &&
    (forced.patience?.min ?? 0) > wanted + 2;
  const late = instance.processes.filter(isLate);
  const lines = evidence([
    proof(set.where, `graceful_timeout is ${wanted} s`),
    ...late.flatMap(({asked, forced, pid}) => [
      ...(asked ? [proof(asked.event, 'the reload begins')] : []),
      ...(forced ? [proof(forced.event, `pid ${pid} is ended, by timeout`)] : []),
    ]),
  ]);
  const waits = span(late.map(({forced}) => forced?.patience ?? null).filter(isBounded));
  if (late.length === 0 || !lines || waits === null) return null;
  const timeout = setting(instance, 'timeout');
  return {
    title: `graceful_timeout = ${wanted} did not end the old workers at the reload: timeout did`,
    message: sentences(
      `${count(late.length, 'old worker')} (pid ${list(late.map(({pid}) => pid))}) ${late.length === 1 ? 'was' : 'were'} ended ${duration(waits)} after ` +
        `the HUP, by timeout${timeout === null ? '' : ` (${timeout.value} s)`}, and not after graceful_timeout, ${wanted} s.`,
      'gunicorn up to 23 enforces graceful_timeout when it stops; at a reload only timeout ends a worker that does not leave.',
    ),
    confidence: 'certain',
    instance: instance.id,
    reload: null,
    pids: unique(late.map(({pid}) => pid)),
    workers: [],
    evidence: lines,
    against: [],
    cannotSee: [],
    fixes: [
      {
        setting: 'timeout',
        section: null,
        value: null,
        effect: 'a worker that does not leave at a reload is ended after this time',
        since: null,
        safety: 'may-cut-requests',
        why: 'It also ends workers that take longer for one request while they serve; with threads or event loops it watches the loop only.',
      },
    ],
    next: [],
    identity: [instanceName(instance), 'graceful_timeout at HUP'],
  };
}
