import type {Measure, MeasureId} from '../measures/measure.ts';
import type {RuleFinding} from '../rules/rule.ts';
import {type FailOn, failsFrom} from '../severity.ts';
import type {Duration} from '../timeline/time.ts';
import {heldAgainst} from './check.ts';
import {type LimitKind, type Limits, limitKinds} from './limits.ts';

/** What one log came to, as far as it is compared: measured anew, or taken from a saved report. */
export interface Side {
  readonly name: string;
  /** Something that happened was recognised in it. */
  readonly isUnderstood: boolean;
  readonly measures: readonly Omit<Measure, 'cases' | 'of'>[];
  /** What each measure was taken on. */
  readonly counts: ReadonlyMap<MeasureId, number>;
  readonly findings: readonly ComparedFinding[];
}

export type ComparedFinding = Pick<RuleFinding, 'rule' | 'severity' | 'title' | 'fingerprint'>;

/** How much worse things may become before it counts. */
export interface Budget {
  /** Bounds for the log after the change. A measure that has one and keeps it may be worse than it was. */
  readonly limits: Limits;
  /** The part by which any other measure may be worse: 0.1 for a tenth. */
  readonly tolerance: number;
  /** New findings count from this severity on. */
  readonly failOn: FailOn;
}

/** `unknown`: the intervals overlap, or one side has nothing to hold the other against. */
export type Change = 'better' | 'worse' | 'same' | 'unknown';

export interface MeasureChange {
  readonly id: MeasureId;
  readonly title: string;
  readonly unit: Measure['unit'];
  readonly before: Duration | null;
  readonly after: Duration | null;
  /** Things that it was measured on, before and after. */
  readonly counts: readonly [number, number];
  readonly change: Change;
  /** Neither side has anything of the kind. */
  readonly isMissing: boolean;
  /** What was held against each other, where it is not the figures themselves; why nothing could be, where the change is unknown. */
  readonly because: string | null;
  /** Beyond what the budget allows. */
  readonly isOverBudget: boolean;
  /** The bound that the log after the change was held against. */
  readonly limit: {readonly kind: LimitKind; readonly value: number; readonly result: 'passed' | 'broken' | 'undecided'} | null;
}

export interface Comparison {
  readonly before: string;
  readonly after: string;
  /** Names of those of the two that were not understood. */
  readonly notUnderstood: readonly string[];
  readonly measures: readonly MeasureChange[];
  readonly gone: readonly ComparedFinding[];
  readonly fresh: readonly ComparedFinding[];
  readonly kept: readonly ComparedFinding[];
  /** New findings that count. */
  readonly failing: readonly ComparedFinding[];
  readonly failed: boolean;
}

/** Stamps of whole seconds can make no difference look like one second: so much is the same, and within every budget. */
const RESOLUTION = 1;

export function compare(before: Side, after: Side, budget: Budget): Comparison {
  const measures = after.measures
    .filter(({id}) => id !== 'coverage')
    .flatMap((measure) => {
      const former = before.measures.find(({id}) => id === measure.id);
      return former === undefined ? [] : [changeOf(former, measure, before, after, budget)];
    });
  const known = new Set(before.findings.map(({fingerprint}) => fingerprint));
  const still = new Set(after.findings.map(({fingerprint}) => fingerprint));
  const fresh = after.findings.filter(({fingerprint}) => !known.has(fingerprint));
  const failing = fresh.filter(({severity}) => failsFrom(severity, budget.failOn));
  return {
    before: before.name,
    after: after.name,
    notUnderstood: [before, after].filter(({isUnderstood}) => !isUnderstood).map(({name}) => name),
    measures,
    gone: before.findings.filter(({fingerprint}) => !still.has(fingerprint)),
    fresh,
    kept: after.findings.filter(({fingerprint}) => known.has(fingerprint)),
    failing,
    failed: failing.length > 0 || measures.some(({isOverBudget}) => isOverBudget),
  };
}

type Measured = Side['measures'][number];

function changeOf(former: Measured, measure: Measured, before: Side, after: Side, budget: Budget): MeasureChange {
  const {id, title, unit} = measure;
  const count = (side: Side, of: MeasureId = id) => side.counts.get(of) ?? 0;
  const scale = scaleOf(
    id,
    [before, after].map((side) => count(side, id === 'downtime' ? 'longest-reload' : id)) as [number, number],
  );
  const resolution = unit === 'seconds' ? RESOLUTION : 0;
  const judged = judge(former, measure, scale, resolution);
  const allowed = scaledBy(judged.before, 1 + budget.tolerance);
  const limit = limitOf(id, measure.value, budget.limits);
  const isTolerated = judged.change !== 'worse' || (allowed.max !== null && judged.after.min <= allowed.max + resolution);
  return {
    id,
    title,
    unit,
    before: former.value,
    after: measure.value,
    counts: [count(before), count(after)],
    change: judged.change,
    isMissing: former.value === null && measure.value === null,
    because: judged.because,
    isOverBudget: limit === null ? !isTolerated : limit.result === 'broken',
    limit,
  };
}

/** What the two figures are divided by to be comparable, and what that makes of them. */
interface Scale {
  readonly by: readonly [number, number];
  readonly because: string | null;
  /** Why they are not comparable at all. */
  readonly hindrance: string | null;
}

/** A log may show more reloads, workers or tasks than the other: what adds up with them is compared as a share, or for each. */
function scaleOf(id: MeasureId, [before, after]: readonly [number, number]): Scale {
  const asIs = {by: [1, 1] as const, because: null, hindrance: null};
  if (before === after && (id !== 'downtime' || before > 0)) return asIs;
  if (id === 'forced-kills' || id === 'orphaned-tasks') return {...asIs, by: [before, after], because: 'compared as a share'};
  if (id !== 'downtime') return asIs;
  if (before > 0 && after > 0) return {...asIs, by: [before, after], because: 'compared for each reload'};
  return {...asIs, hindrance: 'without a reload on both sides, it depends on how long each log is'};
}

type Judgement = Pick<MeasureChange, 'change' | 'because'> & {readonly before: Duration; readonly after: Duration};

function judge(former: Measured, measure: Measured, {by, because, hindrance}: Scale, resolution: number): Judgement {
  const nothing = {before: {min: 0, max: 0}, after: {min: 0, max: 0}};
  if (former.value === null || measure.value === null) {
    const which = former.value !== null ? 'after' : measure.value !== null ? 'before' : 'both';
    return {...nothing, change: 'unknown', because: `${which}: ${(former.value === null ? former : measure).missing}`};
  }
  const [before, after] = [scaledBy(former.value, 1 / by[0]), scaledBy(measure.value, 1 / by[1])];
  if (isNone(before) && isNone(after)) return {before, after, change: 'same', because: null};
  if (hindrance !== null) return {before, after, change: 'unknown', because: hindrance};
  if (spreadOf(before, after) <= resolution) return {before, after, change: 'same', because};
  if (isMoreThan(before, after)) return {before, after, change: 'better', because};
  if (isMoreThan(after, before)) return {before, after, change: 'worse', because};
  return {before, after, change: 'unknown', because: unknownOf(before, after) ?? 'the intervals overlap'};
}

function unknownOf(before: Duration, after: Duration): string | null {
  const sides = [...(isOpen(before) ? ['before'] : []), ...(isOpen(after) ? ['after'] : [])];
  return sides.length === 0 ? null : `not known ${sides.join(' and ')}`;
}

/** Nothing is known of it. */
function isOpen({min, max}: Duration): boolean {
  return min === 0 && max === null;
}

function isNone({min, max}: Duration): boolean {
  return min === 0 && max === 0;
}

function isMoreThan(a: Duration, b: Duration): boolean {
  return b.max !== null && a.min > b.max;
}

/** How far apart the two can be at most. */
function spreadOf(a: Duration, b: Duration): number {
  if (a.max === null || b.max === null) return Number.POSITIVE_INFINITY;
  return Math.max(a.max, b.max) - Math.min(a.min, b.min);
}

function scaledBy({min, max}: Duration, factor: number): Duration {
  return {min: min * factor, max: max === null ? null : max * factor};
}

function limitOf(id: MeasureId, value: Duration | null, limits: Limits): MeasureChange['limit'] {
  const kind = limitKinds.find((each) => each.measure === id);
  const limit = kind === undefined ? undefined : limits[kind.id];
  if (kind === undefined || limit === undefined || value === null) return null;
  return {kind, value: limit, result: heldAgainst(value, limit, kind.isLeast)};
}
