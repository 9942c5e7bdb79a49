import type {LogEvent} from '../timeline/event.ts';
import {groupBy} from '../timeline/group.ts';
import {precedes} from '../timeline/lookup.ts';
import type {Reload, Timeline} from '../timeline/timeline.ts';
import {instanceOfEvent} from './line-owners.ts';
import {loadErrors, mayHoldTraceback, reasonOf, tracebackAt} from './load-errors.ts';
import {type Finding, type Fix, NO_SETTING, type Rule} from './rule.ts';
import {type FailedStart, failedStarts} from './starts.ts';
import {count, evidence, instanceName, kindOf, list, proof, sentences, unique} from './wording.ts';

const rule: Rule = {
  id: 'reload-lost-app',
  title: 'After a reload the application is gone',
  severity: 'error',
  docs: {
    sees:
      'A reload whose new generation has no application or cannot load it: "no app loaded", "unable to load app", "failed ' +
      'loading app in worker", "Worker failed to boot", or requests that find no application afterwards.',
    why:
      'A reload ends the old code before it knows whether the new code loads. uWSGI without need-app then runs without any ' +
      'application and answers every request with an error, while all its processes look healthy; with need-app it ends. ' +
      'A chain reload with lazy-apps is no shelter: without need-app a worker that has no application accepts requests, so the ' +
      'chain goes on until all have lost it; with need-app the first one ends the whole instance.',
    remedy:
      'Mend what the traceback says, or go back to the former version, and reload again. Let each deployment load the ' +
      'application once, and reload only where that succeeds. need-app makes the failure visible.',
    limits:
      'The traceback carries no pid and no time, and may be in another log. Without it the log proves the loss and not the reason.',
    references: [
      'https://uwsgi-docs.readthedocs.io/en/latest/Options.html#need-app',
      'https://uwsgi-docs.readthedocs.io/en/latest/articles/TheArtOfGracefulReloading.html',
      'benoitc/gunicorn#1825',
    ],
  },
  restsOnOwners: true,
  needs: {
    messages: [
      'uwsgi/master-respawned',
      'uwsgi/binary-reload',
      'uwsgi/graceful-reload',
      'uwsgi/brutal-reload',
      'uwsgi/touch-chain-reload',
      'uwsgi/touch-workers-reload',
      'uwsgi/chain-reload',
      'gunicorn/handling-signal',
      'gunicorn/worker-reloading',
    ],
    otherwise: 'no reload is in this log',
  },
  *check(timeline) {
    for (const group of groupBy(failedStarts(timeline).reloads, ({generation}) => generation.source).values()) {
      yield describe(timeline, group);
    }
  },
};

export default rule;

function describe(timeline: Timeline, group: readonly [FailedStart, ...FailedStart[]]): Finding | null {
  const [first] = group;
  const {generation} = first;
  const proofs = group.flatMap((failed) => failed.proofs);
  const instance = generation.reload ? instanceOfEvent(timeline, generation.reload) : null;
  const reloads = unique(group.map((failed) => reloadOf(timeline, failed)).filter((reload) => reload !== null));
  const unanswered = group.reduce((sum, failed) => sum + failed.generation.unanswered.length, 0);
  const loadedAfter = group.at(-1)?.generation.loaded.length ?? 0;
  const gaveUp = proofs.some(({meaning}) => meaning.fatal === true);
  const workers = unique(proofs.map(({worker}) => worker).filter((worker) => worker !== null)).sort((a, b) => a - b);
  const errors = loadErrors(timeline, proofs);
  const isHere = mayHoldTraceback(timeline, proofs);
  const lines = evidence([
    ...errors
      .filter((event) => !proofs.includes(event))
      .slice(0, 2)
      .map((event) => proof(event, 'the end of the traceback')),
    ...(generation.hadApp ? [proof(generation.hadApp, 'before the reload the application was loaded')] : []),
    ...group
      .slice(0, 3)
      .flatMap((failed) => [
        ...failed.proofs.slice(0, 3).map((event) => proof(event, shownBy(event))),
        ...(failed.generation.reload ? [proof(failed.generation.reload, 'the reload')] : []),
      ]),
  ]);
  if (!lines) return null;
  const several = group.length > 1;
  const [only] = reloads;
  const isChain = reloads.some(({kind}) => kind === 'chain');
  return {
    title: several ? `After ${group.length} reloads the application is gone` : rule.title,
    message: sentences(
      `After ${several ? `${group.length} reloads` : only ? `a ${kindOf(only)}` : 'a reload'} the new generation ` +
        (proofs.some(({meaning}) => meaning.kind === 'app-load-failed')
          ? 'could not load the application.'
          : 'runs without an application.'),
      generation.hadApp !== null && 'Before it, the application was loaded: the reload brought the loss.',
      workers.length > 0 && `It failed in worker${workers.length > 1 ? 's' : ''} ${list(workers)}.`,
      gaveUp
        ? `The server gave up${isChain ? ', with the workers that still had the old code' : ''}: nothing is served until somebody starts it again.`
        : unanswered > 0
          ? `${count(unanswered, 'request')} got an error for want of an application, while all processes look healthy.` +
            (isChain ? ' A worker without an application accepts requests, so the chain did not stop at the first.' : '')
          : workers.length > 0
            ? 'Such a worker ends at once and is started anew, to fail again; workers that were not replaced yet keep the old code.'
            : loadedAfter > 0
              ? 'Some workers did load it, so a part of the requests is answered.'
              : 'Every request is answered with an error, while all processes look healthy.',
      errors.length > 0
        ? `The loss is proved. The reason told: ${list(errors.map(reasonOf), 2)}.`
        : isHere
          ? 'The loss is proved; its reason is in the traceback above the failure, most often an import error in the new code.'
          : 'The loss is proved; its reason, most often an import error in the new code, is in a traceback that this log does not have.',
    ),
    confidence: 'certain',
    instance: instance?.id ?? null,
    reload: reloads.length === 1 && only ? only.id : null,
    pids: unique(proofs.map(({pid}) => pid).filter((pid) => pid !== null)),
    workers,
    evidence: lines,
    against: [
      {
        hypothesis: 'boot-failure',
        because: 'it is no first start: the lines of a reload stand before it',
        line: generation.reload?.line ?? null,
      },
    ],
    cannotSee: errors.length > 0 ? [] : ['why it did not load, where the traceback went to another log'],
    fixes: fixesFor(generation.supervisor, gaveUp, isChain),
    next: [
      ...(errors.length > 0 ? [] : [tracebackAt(isHere)]),
      'load the module by hand before the next reload: the same user, directory, virtualenv and environment',
      'mend it or go back to the former version, then reload once more',
    ],
    identity: [instance ? instanceName(instance) : generation.source, 'lost'],
  };
}

/** The last reload that began before the failure. */
function reloadOf(timeline: Timeline, {generation, proofs}: FailedStart): Reload | null {
  const [event] = proofs;
  if (!event) return null;
  const instance = instanceOfEvent(timeline, generation.reload ?? event);
  return (
    timeline.reloads.findLast(
      ({began, kind, instance: owner}) => kind !== 'stop' && precedes(began, event) && (!instance || owner === instance.id),
    ) ??
    timeline.reloads.find(({began}) => began === generation.reload) ??
    null
  );
}

function shownBy({meaning, worker}: LogEvent): string {
  if (meaning.kind === 'no-app')
    return meaning.fatal ? 'the server gives up for want of an application' : 'the new generation has no application';
  if (meaning.kind === 'request-error') return 'a request found no application';
  return worker === null ? 'the application did not load' : `the application did not load in worker ${worker}`;
}

function fixesFor(supervisor: string, gaveUp: boolean, isChain: boolean): Fix[] {
  const fixes: Fix[] = [
    {
      ...NO_SETTING,
      effect: 'the service is back',
      safety: 'needs-code',
      why: 'Mend the import that the traceback names, or go back to the former version, and reload once more.',
    },
  ];
  if (supervisor === 'gunicorn') {
    fixes.push({
      ...NO_SETTING,
      effect: 'code that does not load is noticed while the old code still serves',
      safety: 'safe',
      tried: true,
      why: 'Let the deployment run gunicorn --check-config with the same options, user and directory, and send HUP only where it succeeds: it loads the application.',
    });
  }
  if (supervisor !== 'uwsgi') return fixes;
  fixes.push({
    ...NO_SETTING,
    effect: 'code that does not load is noticed while the old code still serves',
    safety: 'safe',
    tried: true,
    why:
      'Let the deployment load the application once (python -c "import <module>", with the same user, directory and virtualenv), ' +
      'and reload only where that succeeds. A module that imports uwsgi needs a stub of it for that.',
  });
  if (!gaveUp) {
    fixes.push({
      setting: 'need-app',
      section: 'uwsgi',
      value: 'true',
      effect: 'a generation without its application ends at once, in place of answering with errors',
      since: null,
      safety: isChain ? 'may-cut-requests' : 'safe',
      why: `The outer supervisor and the deployment then notice it. It does not keep the old code running${
        isChain ? ': the first worker that cannot load it ends the whole instance, those with the old code too' : ''
      }.`,
    });
  }
  return fixes;
}
