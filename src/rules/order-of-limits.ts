/** Limits that are to be shorter from the outside in, and are not. */
import type {LineRef} from '../timeline/event.ts';
import type {Instance, Timeline} from '../timeline/timeline.ts';
import {type Grace, graceOf, MARGIN} from './grace.ts';
import {type Outer, outerOf, secondsOf, serverName} from './outer.ts';
import {type Finding, NO_PROCESS} from './rule.ts';
import {isUnknown, setting} from './settings.ts';
import {evidence, instanceName, proof, sentences} from './wording.ts';

/** From the inside out, where nothing else is known of how they nest. */
const OUTER_LIMITS = ['stopwaitsecs', 'TimeoutStopSec', 'stop_grace_period', 'terminationGracePeriodSeconds'] as const;

/** Where in its configuration the limit is set. */
function sectionOf(name: string, instance: Instance, outer: Outer | null): string {
  if (name === 'stopwaitsecs') return `program:${outer?.life.program ?? instance.name ?? ''}`;
  if (name === 'TimeoutStopSec') return 'Service';
  const server = name === 'stop_grace_period' ? 'compose' : 'kubernetes';
  return instance.configured.find((place) => place.server === server)?.section ?? '';
}

/** One link of the chain of limits. */
interface Limit {
  readonly name: string;
  /** What it may take. */
  readonly seconds: number;
  readonly where: LineRef | null;
  readonly isSet: boolean;
}

/** Nothing was killed, and yet a limit that is known is not shorter than the next one outwards. */
export function wrongOrder(timeline: Timeline, instance: Instance): Finding | null {
  const grace = instance.supervisor === 'supervisord' ? null : graceOf(instance, null);
  if (grace === null || isUnknown(instance, grace.setting)) return null;
  const limits = limitsOf(instance, grace);
  for (const [n, inner] of limits.entries()) {
    const outside = limits[n + 1];
    if (!outside || inner.seconds < outside.seconds || !(inner.isSet || outside.isSet)) continue;
    const lines = evidence([
      ...(inner.where ? [proof(inner.where, `the inner limit: ${inner.name}`)] : []),
      ...(outside.where ? [proof(outside.where, `the outer limit: ${outside.name} is ${outside.seconds} s`)] : []),
    ]);
    if (!lines) continue;
    return {
      title: `${outside.name} (${outside.seconds} s) is shorter than what ${inner.name} may take (${inner.seconds} s)`,
      message: n === 0 ? serverComesFirst(instance, inner, outside) : programComesFirst(inner, outside),
      severity: 'info',
      confidence: inner.isSet && outside.isSet ? 'certain' : 'likely',
      instance: instance.id,
      ...NO_PROCESS,
      evidence: lines,
      against: [],
      cannotSee: ['whether a worker will ever need that long to leave'],
      fixes: [
        {
          setting: outside.name,
          section: sectionOf(outside.name, instance, outerOf(timeline, instance)),
          value: `${inner.seconds + MARGIN}${outside.name === 'stop_grace_period' ? 's' : ''}`,
          effect: 'the server comes to its own deadline first, and leaves in good order',
          since: null,
          safety: 'safe',
          why: 'Each limit must be longer than the one inside it.',
        },
      ],
      next: [],
      identity: [instanceName(instance), inner.name, outside.name],
    };
  }
  return null;
}

/** Of those that are known, from the inside out. */
function limitsOf(instance: Instance, grace: Grace): Limit[] {
  return [
    {name: grace.setting, seconds: grace.cost, where: grace.where, isSet: grace.isKnown},
    ...OUTER_LIMITS.flatMap((name) => {
      const value = secondsOf(instance, name);
      const known = setting(instance, name);
      return value === null || known === null
        ? []
        : [{name, seconds: value, where: known.where, isSet: known.from !== 'default'}];
    }),
  ];
}

function serverComesFirst(instance: Instance, inner: Limit, outside: Limit): string {
  return sentences(
    `A worker that does not leave is ended by ${serverName(instance)} after ${inner.seconds} s (${inner.name}); ${outside.name} is ` +
      `${outside.seconds} s${outside.isSet ? '' : ' by default'}.`,
    'The first stop with such a worker ends in a SIGKILL of the master. In this log nothing was killed for it.',
  );
}

function programComesFirst(inner: Limit, outside: Limit): string {
  return sentences(
    `A program that does not stop is killed after ${inner.seconds} s (${inner.name}), and whoever runs its supervisor kills ` +
      `that after ${outside.seconds} s (${outside.name}${outside.isSet ? '' : ', by default'}).`,
    'The first stop that takes so long ends in a SIGKILL of the supervisor and of all its programs. In this log nothing was killed for it.',
  );
}
