import {greatest, least} from '../../extremes.ts';
import type {Instant} from '../../timeline/time.ts';
import type {Reload, Timeline} from '../../timeline/timeline.ts';
import type {Change} from './succession.ts';

/** The stretch of time that a picture shows, in milliseconds. */
export interface Frame {
  readonly from: number;
  readonly to: number;
  /** What is shown began earlier, or nobody knows when. */
  readonly isOpenBefore: boolean;
  /** What is shown goes on, or nobody knows until when. */
  readonly isOpenAfter: boolean;
}

/** A stamp stands for its whole second. */
const RESOLUTION = 1000;
const SHORTEST = 4000;
/** Of the length, before and after what is shown. */
const MARGIN = 0.04;
/** How much longer than what is known a doubt may be before it is cut off. */
const LONGEST_DOUBT = 2;
/** How much room a beginning has that nobody knows. */
const LEAD = 4000;
/** How long a standstill is shown that nothing follows. */
const STANDSTILL = 30_000;

/** Null where the log tells no time of the reload. */
export function frameOf(reload: Reload, changes: readonly Change[], timeline: Timeline): Frame | null {
  const {startedAt, endedAt, silence} = reload;
  const parts = changes.flatMap(({old, next, told}) => [
    told,
    old?.forced?.at,
    old?.endedAt,
    next?.startedAt,
    next?.appLoaded?.at,
  ]);
  const within = parts.filter((at) => at != null).flatMap(boundsOf);
  const known = [...boundsOf(startedAt), ...(endedAt === null ? [] : boundsOf(endedAt)), ...within];
  if (known.length === 0) return null;

  const surelyBegun = startedAt.latest ?? least(known);
  const lastSign = Math.max(
    endedAt?.earliest ?? surelyBegun,
    surelyBegun,
    greatest(within.filter((at) => at <= (timeline.to ?? at))),
  );
  const logEnd = timeline.to ?? lastSign;
  const standstill = Math.max(STANDSTILL, 0.5 * (lastSign - surelyBegun));
  const surelyOver = endedAt !== null ? lastSign : Math.min(logEnd, Math.max(lastSign, logEnd - silence.min * 1000) + standstill);

  const doubt = Math.max(LONGEST_DOUBT * (surelyOver - surelyBegun), STANDSTILL);
  const begin = startedAt.earliest ?? least(known) - Math.max(LEAD, 0.2 * (surelyOver - surelyBegun));
  const end = Math.max(endedAt?.latest ?? surelyOver, surelyOver);
  const [from, to] = [Math.max(begin, surelyBegun - doubt), Math.min(end, surelyOver + doubt)];
  const framed = withMargins(from, to, timeline);
  return {
    ...framed,
    isOpenBefore: startedAt.earliest === null || from > begin,
    isOpenAfter: endedAt === null || endedAt.latest === null || to < end,
  };
}

/** The whole log. */
export function framedWhole({from, to}: Timeline): Frame | null {
  if (from === null || to === null) return null;
  const end = to + RESOLUTION;
  return {from: Math.min(from, end - SHORTEST), to: end, isOpenBefore: false, isOpenAfter: false};
}

/** A little of what was before and after, as far as the log reaches. */
function withMargins(from: number, to: number, timeline: Timeline): {readonly from: number; readonly to: number} {
  const margin = Math.max(RESOLUTION, MARGIN * (to - from));
  const first = Math.max(from - margin, Math.min(from, timeline.from ?? from));
  const last = Math.min(to + margin, Math.max(to, timeline.to ?? to) + RESOLUTION);
  return {from: Math.min(first, last - SHORTEST), to: last};
}

function boundsOf({earliest, latest}: Instant): readonly number[] {
  return [earliest, latest].filter((at) => at !== null);
}
