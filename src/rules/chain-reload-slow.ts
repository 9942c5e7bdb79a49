import type {Instance, Reload, ReloadedWorker, Timeline} from '../timeline/timeline.ts';
import {slowStarts} from './chain-slow-start.ts';
import {costOf, lowerMercy, mercyOf, mercyText} from './mercy.ts';
import {type Finding, type Fix, NO_SETTING, type Rule} from './rule.ts';
import {uwsgiOf} from './settings.ts';
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
} from './wording.ts';

/** Per worker, besides its stop: the master notices its end, starts the next one and sees it accept. */
const ROUNDS = {min: 2, max: 3};
/** Forced waits must make up this share of the whole. */
const MOSTLY = 0.5;

const rule: Rule = {
  id: 'chain-reload-slow',
  title: 'A chain reload took long because its workers had to be killed one after the other',
  severity: 'warning',
  docs: {
    sees:
      'A chain reload most of whose time went into waiting for workers that did not leave and were killed at the deadline; as a ' +
      'note, one of a minute or more that nobody was killed for and that mostly waited for its replacements to start.',
    why:
      'A chain reload replaces one worker at a time, so that the others go on serving. The waits add up: workers times the ' +
      'mercy (60 s by default) and a few seconds each. All that time old and new code answer side by side.',
    remedy: 'Find what keeps the workers from leaving: that ends the waits. A lower worker-reload-mercy bounds them.',
    limits:
      'The figures are as exact as the stamps of the log. That a shorter mercy cuts nothing holds only as far as request ' +
      'lines show it.',
    references: [
      'https://uwsgi-docs.readthedocs.io/en/latest/articles/TheArtOfGracefulReloading.html#chain-reloading-lazy-apps',
      'https://uwsgi-docs.readthedocs.io/en/latest/Options.html#worker-reload-mercy',
      'elastic/apm-agent-python#2304',
    ],
  },
  settings: ['worker-reload-mercy'],
  restsOnOwners: true,
  needs: {
    messages: ['uwsgi/chain-victim', 'uwsgi/chain-complete', 'uwsgi/touch-chain-reload', 'uwsgi/chain-reload'],
    otherwise: "the log shows no chain reload (touch-chain-reload, or c written to the master's FIFO)",
  },
  *check(timeline) {
    for (const instance of uwsgiOf(timeline)) {
      const slow = instance.reloads.filter(isSlow);
      yield slow.length > 0 ? describe(timeline, instance, slow) : slowStarts(instance);
    }
  },
};

export default rule;

function forcedOf(reload: Reload): ReloadedWorker[] {
  return reload.workers.filter(({end}) => end === 'forced');
}

/** What the forced waits add up to, at least. */
function forcedTime(reload: Reload): number {
  return forcedOf(reload).reduce((sum, {wait}) => sum + wait.min, 0);
}

export function isSlow(reload: Reload): boolean {
  if (reload.kind !== 'chain' || reload.endedAt === null || reload.duration.max === null) return false;
  const forced = forcedOf(reload);
  return forced.length > 0 && forcedTime(reload) >= reload.duration.max * MOSTLY;
}

function describe(timeline: Timeline, instance: Instance, slow: readonly Reload[]): Finding | null {
  const worst = slow.reduce((a, b) => (b.duration.min > a.duration.min ? b : a));
  const forced = forcedOf(worst);
  const mercy = mercyOf(instance);
  const pids = new Set(slow.flatMap((reload) => forcedOf(reload).map(({oldPid}) => oldPid)));
  const processes = instance.processes.filter(({pid}) => pids.has(pid));
  const waits = span(forced.map(({wait}) => wait));
  const total = forcedTime(worst);
  const startUps = worst.workers.map(({comeback}) => comeback).filter((each) => each !== null);
  const lower = lowerMercy(timeline, instance, processes);
  const lines = evidence([
    proof(worst.began, 'the chain reload begins'),
    ...processes
      .filter(({pid}) => forced.some(({oldPid}) => oldPid === pid))
      .slice(0, 6)
      .flatMap((process) =>
        process.forced ? [proof(process.forced.event, `${nameOf(process)} was waited for until it was killed`)] : [],
      ),
    ...(worst.ended ? [proof(worst.ended, `it is complete, after ${duration(worst.duration)}`)] : []),
  ]);
  if (!lines || !waits) return null;
  const startUp = span(startUps);
  const share = Math.round((100 * total) / Math.max(1, worst.duration.max ?? worst.duration.min));
  const sum =
    Math.round(total / forced.length) * forced.length === Math.round(total)
      ? `${forced.length} x ${seconds(total / forced.length)}`
      : `${count(forced.length, 'worker')}, ${duration(waits)} each`;
  return {
    title: rule.title,
    message: sentences(
      slow.length > 1 && `${count(slow.length, 'chain reload')} were slow.`,
      `${slow.length > 1 ? 'The slowest' : 'The chain reload'} took ${duration(worst.duration)}`,
      `for ${count(worst.workers.length, 'worker')}.`,
      `${sum}, ${seconds(total)} in all (${share} %), went into waiting for workers that did not leave and were killed;`,
      `the mercy, the time the master waits for one worker, is ${mercyText(mercy)}.`,
      isBounded(startUp) && `From a worker's end to its replacement being ready it took ${duration(startUp)}.`,
      'That is proved.',
      'Why they did not leave is another question, and the subject of another finding where the log answers it.',
    ),
    confidence: 'certain',
    instance: instance.id,
    reload: slow.length === 1 ? worst.id : null,
    ...concerning(processes),
    evidence: lines,
    against:
      startUp && startUp.max !== null
        ? [
            {
              hypothesis: 'a slow start of the application',
              because: `replacements were ready ${duration(startUp)} after the old worker had ended`,
              line: worst.ended?.line ?? null,
            },
          ]
        : [],
    cannotSee: ['requests killed at the deadline: they never get a line in this log'],
    fixes: fixesFor(worst, forced, lower),
    next: [
      ...(slow.length > 1
        ? [
            `the slow ones: ${list(
              slow.map(({id, duration: each}) => `${id} (${duration(each)})`),
              5,
            )}`,
          ]
        : []),
    ],
    identity: [instanceName(instance)],
  };
}

/** What the whole chain would take if nobody had to be killed, and with less patience. */
function fixesFor(worst: Reload, forced: readonly ReloadedWorker[], lower: Fix | null): Fix[] {
  const wait = forced.reduce((sum, each) => sum + each.wait.min, 0);
  const rest = Math.max(0, worst.duration.min - wait);
  const total = duration(worst.duration);
  const fixes: Fix[] = [
    {
      ...NO_SETTING,
      safety: 'needs-code',
      remaining: 1,
      effect: `${total} -> about ${seconds(rest + forced.length)}`,
      why: 'End what keeps the workers from leaving (a thread of the application, most often): then each leaves within a second.',
    },
  ];
  if (lower?.value) {
    const stop = costOf(Number(lower.value));
    const each = {min: stop + ROUNDS.min, max: stop + ROUNDS.max};
    const workers = worst.workers.length;
    const sum = {min: workers * each.min, max: workers * each.max};
    const effect = `${total} -> about ${workers} x ${duration(each)} = ${duration(sum)}`;
    fixes.push({...lower, effect: `${effect}${lower.effect.slice(Math.max(0, lower.effect.indexOf(';')))}`});
  }
  return fixes;
}
