import type {Diagnosis} from '../analyze.ts';
import type {Case, Measure} from '../measures/measure.ts';
import {measuresOf} from '../measures/measures.ts';
import type {RuleFinding, RuleResult, Severity} from '../rules/rule.ts';
import {type FailOn, failsFrom} from '../severity.ts';
import {type LimitKind, type Limits, limitKinds} from './limits.ts';

export const LEVELS = ['error', 'warning', 'off'] as const;
/** `error`: the rule's trouble breaks the check. `warning`: it is shown. `off`: it is not looked at. */
export type Level = (typeof LEVELS)[number];

/** What is asserted of a log. */
export interface Demands {
  readonly limits: Limits;
  /** Levels of rules by their ids. */
  readonly rules: Readonly<Record<string, Level>>;
  /** Findings of rules without a level break the check from this severity on. Undefined: `error` where nothing else is asserted, else `never`. */
  readonly failOn?: FailOn | undefined;
  /** What cannot be decided, and what was not measured, breaks the check too. */
  readonly strict: boolean;
}

/**
 * `undecided`: what the log tells allows both. `unmeasured`: the log has nothing to hold the assertion against. Neither is a pass.
 */
export type Result = 'passed' | 'broken' | 'warning' | 'undecided' | 'unmeasured';

interface Asserted {
  /** `max-reload`, a rule's id, `fail-on`. */
  readonly id: string;
  readonly result: Result;
}

/** A measure and its bound. */
export interface LimitAssertion extends Asserted {
  readonly about: 'measure';
  readonly kind: LimitKind;
  readonly limit: number;
  readonly measure: Measure;
  /** Those cases that break the limit, or may do so; all of them where only together they do. */
  readonly cases: readonly Case[];
}

/** A rule that must not fire. */
export interface RuleAssertion extends Asserted {
  readonly about: 'rule';
  readonly level: Exclude<Level, 'off'>;
  readonly answer: RuleResult;
  readonly findings: readonly RuleFinding[];
}

/** No finding at or above a severity. */
export interface FindingsAssertion extends Asserted {
  readonly about: 'findings';
  readonly failOn: Severity;
  readonly findings: readonly RuleFinding[];
}

export type Assertion = LimitAssertion | RuleAssertion | FindingsAssertion;

export interface Check {
  readonly assertions: readonly Assertion[];
  /** Found, and not asserted about: what passes unnoticed otherwise. */
  readonly unasserted: readonly RuleFinding[];
  readonly strict: boolean;
  /** An assertion is broken; where it is strict, also one that is left open. */
  readonly failed: boolean;
}

/** Holds a log against what is demanded of it. */
export function check(diagnosis: Diagnosis, demands: Demands): Check {
  const {limits, rules, strict} = demands;
  const measures = new Map(measuresOf(diagnosis.timeline).map((measure) => [measure.id, measure]));
  const ofLimits = limitKinds.flatMap((kind) => {
    const [limit, measure] = [limits[kind.id], measures.get(kind.measure)];
    return limit === undefined || measure === undefined ? [] : [limitAssertion(kind, limit, measure)];
  });
  const ofRules = diagnosis.rules.flatMap((answer) => {
    const level = rules[answer.id];
    return level === undefined || level === 'off' ? [] : [ruleAssertion(answer, level, diagnosis.findings)];
  });
  const rest = diagnosis.findings.filter(({rule}) => rules[rule] === undefined);
  const failOn = demands.failOn ?? (ofLimits.length > 0 || ofRules.some(({level}) => level === 'error') ? 'never' : 'error');
  const others = diagnosis.rules.filter(({id}) => rules[id] === undefined);
  const isBlank = diagnosis.timeline.inputs.every(({counts}) => counts.events + counts.requests === 0);
  const ofRest = failOn === 'never' ? [] : [findingsAssertion(failOn, rest, isBlank ? [] : others)];
  const assertions = [...ofLimits, ...ofRules, ...ofRest];
  return {
    assertions,
    unasserted: rest.filter((finding) => !ofRest.some(({findings}) => findings.includes(finding))),
    strict,
    failed: assertions.some((assertion) => fails(assertion, strict)),
  };
}

/** Many a rule needs the very line that tells of its trouble: a log without it is no reason to fail. */
export function fails({about, result, ...rest}: Assertion, strict: boolean): boolean {
  if (result === 'broken') return true;
  if (!strict || ('level' in rest && rest.level === 'warning')) return false;
  return result === 'undecided' || (result === 'unmeasured' && about !== 'rule');
}

function limitAssertion(kind: LimitKind, limit: number, measure: Measure): LimitAssertion {
  const {value, cases} = measure;
  const about = {about: 'measure', id: kind.id, kind, limit, measure} as const;
  if (value === null) return {...about, result: 'unmeasured', cases: []};
  const result = heldAgainst(value, limit, kind.isLeast);
  // Each part of what adds up to the time without a worker belongs to it, however short.
  const alone =
    measure.id === 'downtime' ? [] : cases.filter((each) => heldAgainst(each.value, limit, kind.isLeast) !== 'passed');
  return {...about, result, cases: result === 'passed' ? [] : alone.length > 0 ? alone : cases};
}

/** An interval keeps a limit where both its ends do, and breaks it where neither does. */
export function heldAgainst({min, max}: Case['value'], limit: number, isLeast: boolean): 'passed' | 'broken' | 'undecided' {
  const isKept = isLeast ? min >= limit : max !== null && max <= limit;
  const isBroken = isLeast ? max !== null && max < limit : min > limit;
  return isKept ? 'passed' : isBroken ? 'broken' : 'undecided';
}

function ruleAssertion(answer: RuleResult, level: Exclude<Level, 'off'>, all: readonly RuleFinding[]): RuleAssertion {
  const findings = all.filter(({rule}) => rule === answer.id);
  const results = {
    fired: level === 'error' ? 'broken' : 'warning',
    passed: 'passed',
    skipped: 'unmeasured',
    undecided: 'undecided',
  } as const;
  // A rule whose every finding is accepted has fired and breaks nothing.
  const result = answer.result === 'fired' && findings.length === 0 ? 'passed' : results[answer.result];
  return {about: 'rule', id: answer.id, level, answer, findings, result};
}

/** @param rules that could look for something */
function findingsAssertion(failOn: Severity, rest: readonly RuleFinding[], rules: readonly RuleResult[]): FindingsAssertion {
  const findings = rest.filter(({severity}) => failsFrom(severity, failOn));
  const looked = rules.some(({result}) => result !== 'skipped');
  const result = findings.length > 0 ? 'broken' : looked ? 'passed' : 'unmeasured';
  return {about: 'findings', id: 'fail-on', failOn, findings, result};
}
