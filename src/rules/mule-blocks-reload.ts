import {between} from '../timeline/time.ts';
import type {Forced, Instance, Process} from '../timeline/timeline.ts';
import {processName} from './deaths.ts';
import {type Evidence, type Finding, type Fix, NO_SETTING, type Rule} from './rule.ts';
import {setting, uwsgiOf} from './settings.ts';
import {
  capital,
  count,
  duration,
  evidence,
  instanceName,
  isBounded,
  kindOf,
  list,
  only,
  proof,
  seconds,
  sentences,
  span,
  unique,
  was,
} from './wording.ts';

/** uWSGI's mule-reload-mercy where nothing sets it (core/init.c). */
const DEFAULT = 60;

const rule: Rule = {
  id: 'mule-blocks-reload',
  title: 'A mule did not leave, and the reload or stop waited for it until it was killed',
  severity: 'error',
  docs: {
    sees: 'NO MERCY for a mule or a spooler at a reload or stop, and how long the master waited although the workers had left.',
    why:
      'A full reload and a stop end when the last process of the instance is gone, mules among them. A mule has a mercy of its own ' +
      '(mule-reload-mercy, 60 s by default). Until it is over nobody serves: the workers have left, and the next generation starts only ' +
      'then. What the mule was working on is cut.',
    remedy:
      'Let the mule leave: make its threads daemon threads, and let its loop end on SIGHUP. Lower mule-reload-mercy to what its longest ' +
      'piece of work needs. A chain reload and a reload of the workers leave mules in peace.',
    limits: 'What the mule was doing is not in the log. Spoolers have no mercy of their own that can be set.',
    references: ['https://uwsgi-docs.readthedocs.io/en/latest/Mules.html'],
  },
  settings: ['mule', 'mules', 'mule-reload-mercy'],
  restsOnOwners: true,
  needs: {
    messages: ['uwsgi/mule-spawned', 'uwsgi/mule-no-mercy', 'uwsgi/mule-gone', 'uwsgi/spooler-no-mercy'],
    otherwise: 'no mule is in this log',
  },
  *check(timeline) {
    for (const instance of uwsgiOf(timeline)) {
      const killed = instance.processes.flatMap((process): Killed[] =>
        (process.role === 'mule' || process.role === 'spooler') && process.forced?.deadline === 'mercy'
          ? [{process, forced: process.forced}]
          : [],
      );
      if (killed.length > 0) yield describe(instance, killed);
    }
  },
};

export default rule;

interface Killed {
  readonly process: Process;
  readonly forced: Forced;
}

function describe(instance: Instance, killed: readonly Killed[]): Finding | null {
  const processes = killed.map(({process}) => process);
  const during = instance.reloads.filter(({began, ended, kind}) =>
    killed.some(
      ({forced: {event}}) =>
        began.place < event.place && (ended === null || event.place <= ended.place) && kind !== 'chain' && kind !== 'workers',
    ),
  );
  // Workers that had to be killed as well held it for as long: other rules tell of them.
  const alone = during.filter(({workers}) => workers.every(({end}) => end !== 'forced'));
  const wait = span(during.map(({duration: took}) => took));
  const mercy = setting(instance, 'mule-reload-mercy');
  const patience = Number(mercy?.value ?? DEFAULT);
  // A master that had lost patience by then cannot have had the default.
  const isDefault =
    mercy === null &&
    killed.every(({forced}) =>
      during.every(({startedAt}) => {
        const {max} = between(startedAt, forced.at);
        return max === null || max >= DEFAULT;
      }),
    );
  const lines = evidence([
    ...(during[0] ? [proof(during[0].began, `the ${kindOf(during[0])} begins`)] : []),
    ...killed
      .slice(0, 4)
      .flatMap(({process, forced}): Evidence[] => [
        proof(forced.event, `${processName(process)} was killed at its deadline`),
        ...(process.ended ? [proof(process.ended, 'it is gone: now the master goes on')] : []),
      ]),
    ...(mercy?.where ? [proof(mercy.where, `the mercy of mules is ${patience} s`)] : []),
  ]);
  if (!lines) return null;
  const kinds = unique(during.map(kindOf));
  return {
    title: killed.length === 1 ? rule.title : `Mules did not leave, and reloads or stops waited for them until they were killed`,
    message: sentences(
      `${capital(list(unique(processes.map(processName)), 4))} ${was(killed.length)} told to leave, did not, and ${was(killed.length)} killed. That is proved.`,
      during.length > 0 &&
        `It happened in ${count(during.length, kinds.length === 1 ? (kinds[0] ?? 'reload') : 'reload or stop', kinds.length === 1 ? `${kinds[0]}s` : 'reloads and stops')}`,
      during.length > 0 && (isBounded(wait) ? `of ${duration(wait)}.` : '.'),
      alone.length > 0 && 'The workers had left by themselves, so the mule alone held it, and nobody served meanwhile.',
      'What kept it is inferred: most often a thread of the mule that never ends, or work that took longer than its mercy.',
    ).replace(' .', '.'),
    severity: during.length > 0 ? 'error' : 'warning',
    confidence: 'certain',
    instance: instance.id,
    reload: only(during)?.id ?? null,
    pids: unique(processes.map(({pid}) => pid)),
    workers: [],
    evidence: lines,
    against: [
      {
        hypothesis: 'app-threads-block-shutdown',
        because: alone.length > 0 ? 'the workers left by themselves' : 'the line names the mule; workers are told of apart',
        line: killed[0]?.forced.event.line ?? null,
      },
    ],
    cannotSee: ['what the mule was doing when it was killed, and what of it was lost'],
    fixes: fixesFor(
      mercy === null && !isDefault ? null : patience,
      isDefault,
      during.length === 0 || during.some(({kind}) => kind !== 'stop'),
    ),
    next: [`py-spy dump --pid <pid of the mule>   # while it does not leave: the thread that never ends`],
    identity: [instanceName(instance), 'mule'],
  };
}

/** `patience` null: nothing tells it, and it is not the default. */
function fixesFor(patience: number | null, isAssumed: boolean, inReload: boolean): Fix[] {
  return [
    {
      ...NO_SETTING,
      safety: 'needs-code',
      tried: true,
      effect: 'the mule leaves within a second, and nothing is cut',
      why: 'Make the threads of the mule daemon threads, and let its loop take work in pieces that are shorter than the mercy.',
    },
    ...(inReload
      ? [
          {
            ...NO_SETTING,
            safety: 'safe' as const,
            tried: true,
            effect: 'deploys do not touch the mule',
            why: 'Reload the workers alone (touch-chain-reload or touch-workers-reload, with lazy-apps for new code). The mule runs the old code on.',
          },
        ]
      : []),
    {
      setting: 'mule-reload-mercy',
      section: 'uwsgi',
      value: null,
      since: '2.0.5',
      safety: 'may-cut-requests',
      effect:
        patience === null
          ? 'a shorter wait for a mule that does not leave (it is set already: the default, 60 s, was not waited for)'
          : `less than ${seconds(patience + 1)}${isAssumed ? ', the default,' : ''} for a mule that does not leave`,
      why: 'Choose it above the longest piece of work of the mule. It bounds the wait and leaves its cause in place.',
    },
  ];
}
