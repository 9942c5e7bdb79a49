import type {LogEvent} from '../timeline/event.ts';
import {between} from '../timeline/time.ts';
import type {Instance, Reload} from '../timeline/timeline.ts';
import type {Finding, Rule} from './rule.ts';
import {uwsgiOf} from './settings.ts';
import {count, duration, evidence, instanceName, isBounded, proof, sentences, span} from './wording.ts';

/** Seconds between two requests that one deploy makes. */
const NEAR = 30;

const rule: Rule = {
  id: 'reloaded-twice',
  title: 'The instance was asked to reload twice in a row',
  severity: 'info',
  docs: {
    sees:
      'Two requests for a full reload within half a minute: a touched file, a changed module or a signal, the second while the first ' +
      'reload was under way or just after it.',
    why:
      'Each full reload is a gap in which nobody serves. uWSGI also counts it as a touch when the file of touch-reload is deleted, and ' +
      'again when it is there anew: a deploy that replaces the file reloads twice. A worker that is still loading the application (lazy-' +
      'apps) when SIGHUP comes can print the line of the master a second time.',
    remedy:
      'Touch the file in place (touch, or rename a new one over it) as the last step of the deploy, and let one thing reload: not a touch ' +
      'and a signal.',
    limits: 'Two deploys in a row look the same. A log whose lines have no time shows only what comes during a reload.',
    references: ['https://uwsgi-docs.readthedocs.io/en/latest/Management.html#reloading-the-server'],
  },
  settings: ['touch-reload'],
  needs: {
    messages: ['uwsgi/touch-reload', 'uwsgi/graceful-reload', 'uwsgi/brutal-reload', 'uwsgi/python-reload'],
    otherwise: 'the log shows no reload of a whole instance',
  },
  *check(timeline) {
    for (const instance of uwsgiOf(timeline)) {
      const pairs = pairsIn(instance);
      if (pairs.length > 0) yield describe(instance, pairs);
    }
  },
};

export default rule;

interface Pair {
  readonly first: LogEvent;
  readonly second: LogEvent;
  readonly reload: Reload;
  /** While the first was under way, or a second reload after it. */
  readonly meanwhile: boolean;
}

function pairsIn({reloads}: Instance): Pair[] {
  // What a daemon said that the master was about to start asked for nothing.
  const full = reloads.filter(
    ({kind, began}) => (kind === 'graceful' || kind === 'brutal') && began.meaning.kind !== 'stop-began',
  );
  return full.flatMap((reload, n): Pair[] => {
    const first = reload.began;
    const others = reload.repeated.filter((event) => event.meaning.trigger !== 'autoreload' && isNear(first, event));
    const again = others.find(({message}) => message === first.message) ?? others[0];
    if (again) return [{first, second: again, reload, meanwhile: true}];
    const next = full[n + 1];
    // Each worker may notice a changed module by itself.
    return next &&
      first.meaning.trigger !== 'autoreload' &&
      !next.headless &&
      !reload.headless &&
      reload.outcome === 'completed' &&
      isNear(first, next.began)
      ? [{first, second: next.began, reload, meanwhile: false}]
      : [];
  });
}

function isNear(a: LogEvent, b: LogEvent): boolean {
  const {max} = between(a.at, b.at);
  return max !== null && max <= NEAR;
}

function describe(instance: Instance, pairs: readonly Pair[]): Finding | null {
  const gap = span(pairs.map(({first, second}) => between(first.at, second.at)));
  const touched = pairs.filter(({first, second}) => first.meaning.trigger === 'touch' && second.meaning.trigger === 'touch');
  const twice = pairs.filter(({meanwhile}) => !meanwhile);
  const lines = evidence(
    pairs.slice(0, 4).flatMap(({first, second}) => [proof(first, 'the first request'), proof(second, 'the second')]),
  );
  if (!lines) return null;
  const byTouch = touched.length === pairs.length;
  const header = pairs.every(({second, meanwhile}) => meanwhile && second.message === 'uwsgi/graceful-reload');
  return {
    title: rule.title,
    message: sentences(
      `${count(pairs.length, 'time')} a full reload was asked for again${isBounded(gap) ? `, ${duration(gap)} after the first request` : ''}. That is proved.`,
      twice.length > 0
        ? `${count(twice.length, 'time')} it was done twice: two gaps in which nobody served, in place of one.`
        : 'The master was still at the first, and made one reload of both.',
      byTouch && 'Both came from a touched file. A file that is deleted and made anew counts twice: that is a possible reason.',
      header && 'The line is printed by the master; a worker that is still loading the application can print it as well.',
    ),
    confidence: 'possible',
    instance: instance.id,
    reload: pairs.length === 1 ? (pairs[0]?.reload.id ?? null) : null,
    pids: [],
    workers: [],
    evidence: lines,
    against: [
      {
        hypothesis: 'two deploys, or two scripts of one deploy',
        because: 'nothing in the log speaks against it',
        line: null,
        fits: 'equally',
      },
      {
        hypothesis: 'a worker that was still loading the application',
        because: header ? 'nothing in the log speaks against it' : 'the line of the trigger itself stands there twice',
        line: header ? null : (pairs[0]?.second.line ?? null),
        fits: header ? 'equally' : 'excluded',
      },
    ],
    cannotSee: ['who touched the file or sent the signal'],
    fixes: [],
    next: ['grep for touch, kill -HUP and uwsgi --reload in the scripts of the deploy: each full reload needs one of them'],
    identity: [instanceName(instance), 'twice', byTouch ? 'touch' : 'other'],
  };
}
