import {SEVERITIES} from '../severity.ts';
import {speakerOf} from '../timeline/event.ts';
import {precedes} from '../timeline/lookup.ts';
import {type Timeline, UNKNOWN_PID} from '../timeline/timeline.ts';
import {fingerprint} from './fingerprint.ts';
import {located, withoutProvedSmells} from './located.ts';
import {reconcile} from './reconcile.ts';
import type {Finding, Needs, Rule, RuleFinding, RuleResult} from './rule.ts';
import {togetherOverRuns} from './runs.ts';
import {asFarAsOwned} from './shared-log.ts';
import {isTried} from './tried-fixes.ts';
import {list, unique} from './wording.ts';

/**
 * Asks every rule. Findings come in a stable order: the worst first, then as the log has them. Each rule gives one
 * result, so that silence is never taken for health.
 */
export function runRules(rules: readonly Rule[], timeline: Timeline): {findings: RuleFinding[]; rules: RuleResult[]} {
  const findings: RuleFinding[] = [];
  const results: RuleResult[] = [];
  for (const rule of rules) {
    const answer = ask(rule, timeline);
    findings.push(...answer.findings);
    results.push(answer.result);
  }
  const distinct = withoutProvedSmells(findings, timeline, 'risky-setting');
  const result = results.map((each) => (each.id === 'risky-setting' ? smellsLeft(each, distinct) : each));
  const agreed = reconcile(distinct.sort(compare), timeline);
  return {findings: [...togetherOverRuns(agreed, timeline, rules)], rules: result};
}

function ask(rule: Rule, timeline: Timeline): {findings: RuleFinding[]; result: RuleResult} {
  const {id, needs} = rule;
  if (needs && !isMet(needs, timeline)) {
    return {findings: [], result: {id, result: 'skipped', reason: foreign(needs, timeline) ?? needs.otherwise}};
  }
  const findings: RuleFinding[] = [];
  const doubts: string[] = [];
  /** How many findings of one identity there were so far. */
  const alike = new Map<string, number>();
  for (const answer of rule.check(timeline)) {
    if (answer === null) continue;
    if ('undecided' in answer) doubts.push(answer.undecided);
    else findings.push(located(asFarAsOwned(ruleFinding(rule, answer, alike), rule, timeline), rule, timeline));
  }
  if (findings.length > 0)
    return {findings, result: {id, result: 'fired', reason: list(unique(findings.map(({title}) => title)))}};
  if (doubts.length > 0) return {findings, result: {id, result: 'undecided', reason: doubts.join(' ')}};
  return {
    findings,
    result: {
      id,
      result: 'passed',
      reason: `Looked for, and not found: ${rule.docs.sees.charAt(0).toLowerCase()}${rule.docs.sees.slice(1)}`,
    },
  };
}

/** All of them are part of other findings. */
function smellsLeft(result: RuleResult, findings: readonly RuleFinding[]): RuleResult {
  if (result.result !== 'fired' || findings.some(({rule}) => rule === result.id)) return result;
  return {...result, result: 'passed', reason: 'What it saw is proved by the log, and part of other findings.'};
}

function isMet({messages, configuration, or}: Needs, timeline: Timeline): boolean {
  if (or?.(timeline)) return true;
  if (configuration) return timeline.configurations.length > 0;
  return messages.some((message) => timeline.messages.has(message));
}

/** That the log is none of the supervisors whose words the rule reads; null where it is, and lacks the words. */
function foreign({messages}: Needs, {instances}: Timeline): string | null {
  const read = unique(messages.map(speakerOf)).filter((name) => name !== 'application');
  const here = unique(instances.map(({supervisor}) => supervisor));
  return here.length === 0 || here.some((name) => read.includes(name))
    ? null
    : `it reads the lines of ${list(read)}, and this log has those of ${list(here)}`;
}

function ruleFinding(rule: Rule, finding: Finding, alike: Map<string, number>): RuleFinding {
  const identity = finding.identity.join('\0');
  const same = alike.get(identity) ?? 0;
  alike.set(identity, same + 1);
  return {
    ...finding,
    pids: finding.pids.filter((pid) => pid !== UNKNOWN_PID),
    fixes: finding.fixes.map((fix) => ({...fix, tried: isTried(rule.id, fix)})),
    rule: rule.id,
    severity: finding.severity ?? rule.severity,
    fingerprint: fingerprint([rule.id, ...finding.identity, ...(same > 0 ? [String(same + 1)] : [])]),
  };
}

function compare(a: RuleFinding, b: RuleFinding): number {
  const severity = SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity);
  if (severity !== 0) return severity;
  const [first, second] = [a.evidence[0].at, b.evidence[0].at];
  if (precedes(first, second)) return -1;
  if (precedes(second, first)) return 1;
  return a.rule < b.rule ? -1 : a.rule > b.rule ? 1 : 0;
}
