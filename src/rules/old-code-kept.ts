import {precedes, processesWithPid} from '../timeline/lookup.ts';
import type {Instance, Process, Reload} from '../timeline/timeline.ts';
import type {Confidence, Evidence, Finding, Rule} from './rule.ts';
import {isOn, setting, uwsgiOf} from './settings.ts';
import {concerning, count, evidence, instanceName, nameOf, only, proof, unique} from './wording.ts';

const rule: Rule = {
  id: 'old-code-kept',
  title: 'The reload replaced the workers and kept the old code',
  severity: 'warning',
  docs: {
    sees:
      'A chain reload or a reload of the workers alone whose new workers did not load the application: no "WSGI app 0 ... ' +
      'ready" follows their start. For gunicorn a HUP under preload_app, where the configuration is known (--config).',
    why:
      'By default uWSGI loads the application once, in the master, and forks the workers from it. A reload of the workers ' +
      'alone forks them again from the same master, with the code it loaded at its start. Changed code is not read, and ' +
      'nothing says so.',
    remedy:
      'Set lazy-apps = true, so that each worker loads the application itself; or use a full reload (SIGHUP, touch-reload) ' +
      'for new code.',
    limits:
      "If no code was changed, nothing was lost. Applications other than Python's print other lines. Without the start of " +
      'the server in the log it is only possible.',
    references: [
      'https://docs.gunicorn.org/en/stable/settings.html#preload-app',
      'https://uwsgi-docs.readthedocs.io/en/latest/articles/TheArtOfGracefulReloading.html#chain-reloading-lazy-apps',
      'unbit/uwsgi#2001',
    ],
  },
  settings: ['lazy-apps', 'preload_app'],
  restsOnOwners: true,
  needs: {
    messages: [
      'uwsgi/chain-victim',
      'uwsgi/touch-chain-reload',
      'uwsgi/chain-reload',
      'uwsgi/touch-workers-reload',
      'uwsgi/gracefully-killing',
      'gunicorn/hang-up-master',
      'gunicorn/handling-signal',
    ],
    otherwise: 'the log shows no reload of the workers alone (chain reload, workers reload)',
  },
  *check(timeline) {
    for (const instance of timeline.instances.filter(({supervisor}) => supervisor === 'gunicorn')) {
      yield describePreloaded(instance);
    }
    for (const instance of uwsgiOf(timeline)) {
      if (isLazy(instance)) continue;
      const kept = instance.reloads.filter(
        (reload) => isOfWorkers(instance, reload) && replacementsOf(instance, reload).length > 0,
      );
      if (kept.length === 0) continue;
      yield describe(instance, kept);
    }
  },
};

export default rule;

/** gunicorn writes no line when an application is loaded: only the configuration tells. */
function describePreloaded(instance: Instance): Finding | null {
  const preload = setting(instance, 'preload_app');
  const reloads = instance.reloads.filter(({kind, workers}) => kind === 'hup' && workers.some(({newPid}) => newPid !== null));
  if (!isOn(instance, 'preload_app') || !preload?.where || reloads.length === 0) return null;
  const lines = evidence([
    proof(preload.where, 'the application is loaded once, in the arbiter'),
    ...reloads.slice(0, 5).map(({began}) => proof(began, 'a HUP replaces the workers')),
  ]);
  if (!lines) return null;
  const pids = unique(reloads.flatMap(({workers}) => workers.flatMap(({newPid}) => newPid ?? [])));
  return {
    title: rule.title,
    message:
      `${count(reloads.length, 'HUP')} replaced the workers under preload_app. The arbiter forks them from the application ` +
      'that it loaded at its start, so they run that code; changes made since are not in use. Whether the code had changed, ' +
      'the log does not tell.',
    confidence: preload.from === 'log' ? 'certain' : 'likely',
    instance: instance.id,
    reload: only(reloads)?.id ?? null,
    pids,
    workers: [],
    evidence: lines,
    against:
      preload.from === 'log'
        ? []
        : [
            {
              hypothesis: 'gunicorn runs with another configuration than the file that was given',
              because: 'no line of this log shows it',
              line: null,
            },
          ],
    cannotSee: ['which version of the code a worker runs', 'whether the code had changed'],
    fixes: [
      {
        setting: 'preload_app',
        section: 'gunicorn',
        value: 'False',
        since: null,
        safety: 'safe',
        effect: 'each worker loads the current code when it starts',
        why:
          'The application then takes its memory and its time to load once per worker. Or deploy with a restart, or with USR2 ' +
          'and then TERM to the old arbiter.',
      },
    ],
    next: ['let the application show its version (a header, a status page) and ask for it before and after a reload'],
    identity: [instanceName(instance), 'preload'],
  };
}

function isLazy(instance: Instance): boolean {
  if (isOn(instance, 'lazy-apps') || isOn(instance, 'lazy')) return true;
  return (
    instance.processes.some(({role, appLoaded}) => role === 'worker' && appLoaded !== null) ||
    instance.epochs.some(({appLoads}) => appLoads.some(({inWorker}) => inWorker === true))
  );
}

/** A single worker that leaves without a word about a reload may have been told by somebody, for reasons of his own. */
function isOfWorkers(instance: Instance, {kind, headless, workers}: Reload): boolean {
  if (kind === 'chain') return true;
  if (kind !== 'workers') return false;
  const places = new Set(instance.processes.filter(({role}) => role === 'worker').map(({worker}) => worker)).size;
  return !headless || workers.length >= places;
}

/** New workers that serve, or whose turn is over, and did not load the application. Some may still be loading it. */
function replacementsOf(instance: Instance, reload: Reload): Process[] {
  const last = reload.workers.at(-1);
  return reload.workers.flatMap(({newPid, ...entry}) => {
    const process = processesWithPid(instance, newPid).find(({started}) => started !== null && precedes(reload.began, started));
    const isReady =
      process &&
      (process.requests > 0 || (reload.kind === 'chain' && (reload.outcome === 'completed' || entry.worker !== last?.worker)));
    return isReady && process.appLoaded === null && !isOfNewImage(instance, reload, process) ? [process] : [];
  });
}

/** The master has replaced its image since the reload began, and loaded the application anew. */
function isOfNewImage({epochs}: Instance, {began}: Reload, {started}: Process): boolean {
  return epochs.some(
    ({master, reExecuted}) =>
      reExecuted && master !== null && started !== null && precedes(began, master) && precedes(master, started),
  );
}

function describe(instance: Instance, reloads: readonly Reload[]): Finding | null {
  const replacements = reloads.flatMap((reload) => replacementsOf(instance, reload));
  const first = reloads[0];
  const load = instance.epochs
    .flatMap(({appLoads}) => appLoads)
    .findLast(({inWorker, event}) => inWorker === false && first !== undefined && precedes(event, first.began));
  const configured = setting(instance, 'lazy-apps');
  const known = load !== undefined || configured?.from === 'config';
  const shown: Evidence[] = [
    ...(load ? [proof(load.event, 'the application is loaded once, before the workers are forked')] : []),
    ...(first ? [proof(first.began, 'a reload of the workers alone begins')] : []),
    ...replacements
      .slice(0, 5)
      .flatMap((process) =>
        process.started
          ? [proof(process.started, `${nameOf(process)} starts, and no line says that it loaded the application`)]
          : [],
      ),
  ];
  const lines = evidence(shown);
  if (!lines) return null;
  const confidence: Confidence = known ? 'certain' : 'possible';
  const them = `${count(replacements.length, 'new worker')}${reloads.length > 1 ? ` of ${count(reloads.length, 'reload')}` : ''}`;
  return {
    title: rule.title,
    message: `${them} started without loading the application. ${
      known
        ? 'It was loaded once, before the workers were forked, and the new workers were forked from the same master. So ' +
          'they run the code that the master loaded at its start, and changes made since are not in use. That is proved; ' +
          'whether the code had changed, the log does not tell.'
        : 'The start of the server is not in this log, and in a server with lazy-apps each new worker of a Python ' +
          'application writes that its app is ready. None did. So they may run the code that the master loaded at its ' +
          'start.'
    }`,
    confidence,
    instance: instance.id,
    reload: reloads.length === 1 ? (first?.id ?? null) : null,
    ...concerning(replacements),
    evidence: lines,
    against: known
      ? [
          {
            hypothesis: 'lazy-apps is set',
            because: 'then each worker would have written that its app is ready, as the master did',
            line: load?.event.line ?? configured?.where?.line ?? null,
          },
        ]
      : [
          {
            hypothesis: 'the application is not written in Python, or loads on its first request',
            because: 'then this line would be missing as well',
            line: null,
          },
          {
            hypothesis: 'the lines were filtered out',
            because: 'other lines of the same kind are there',
            line: lines.at(-1)?.at.line ?? null,
          },
        ],
    cannotSee: ['which version of the code a worker runs', 'whether the code had changed'],
    fixes: [
      {
        setting: 'lazy-apps',
        section: 'uwsgi',
        value: 'true',
        since: null,
        safety: 'safe',
        effect: 'each worker loads the current code when it starts',
        why:
          'The application then takes its memory and its time to load once per worker. For new code without it, use a full ' +
          'reload (SIGHUP to the master, touch-reload).',
      },
    ],
    next: ['let the application show its version (a header, a status page) and ask for it before and after a reload'],
    identity: [instanceName(instance), ...unique(reloads.map(({kind}) => kind)).sort()],
  };
}
