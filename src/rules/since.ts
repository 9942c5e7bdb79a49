import type {Timeline} from '../timeline/timeline.ts';
import {afterOn} from '../timeline/window.ts';
import type {RuleFinding, RuleResult} from './rule.ts';

interface Answers {
  readonly findings: readonly RuleFinding[];
  readonly rules: readonly RuleResult[];
}

/**
 * Leaves out findings about what was certainly over before `since`: those all of whose lines tell of earlier events.
 * Evidence that is no event (a request line, a configuration) says nothing either way, unless there is no other.
 */
export function since({findings, rules}: Answers, {events, reloads}: Timeline, since: number | null): Answers {
  if (since === null) return {findings, rules};
  const isAfter = afterOn(events, since);
  const isEvent = new Set(events.map(({input, line}) => `${input}:${line}`));
  const kept = findings.filter(({reload, evidence}) => {
    if (reload !== null) return reloads.some(({id}) => id === reload);
    const told = evidence.filter(({at}) => isEvent.has(`${at.input}:${at.line}`));
    return told.length === 0 || told.some(({at}) => isAfter(at));
  });
  return {
    findings: kept,
    rules: rules.map((rule) =>
      rule.result !== 'fired' || kept.some((finding) => finding.rule === rule.id)
        ? rule
        : {...rule, result: 'passed', reason: 'Looked for, and found only before the time that was asked for'},
    ),
  };
}
