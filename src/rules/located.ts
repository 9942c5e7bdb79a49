/** Findings about a setting are found where it is set. */
import {instanceWithId} from '../timeline/lookup.ts';
import type {Instance, Setting, Timeline} from '../timeline/timeline.ts';
import type {Evidence, Fix, Rule, RuleFinding} from './rule.ts';
import {configured, programOf} from './settings.ts';
import {proof} from './wording.ts';

/** Puts the configuration's line of the setting that is the trouble first, where the configuration has one. */
export function located(finding: RuleFinding, rule: Rule, {instances}: Timeline): RuleFinding {
  const instance = instanceWithId(instances, finding.instance);
  if (instance === null) return finding;
  const program = finding.fixes.map(({section}) => programOf(section)).find((name) => name !== null) ?? null;
  // Which of several programs it is about is not told.
  const isUnclear = program === null && new Set(instance.settings.flatMap((each) => each.program ?? [])).size > 1;
  const lines = (isUnclear ? [] : (rule.settings ?? [])).flatMap((name): Evidence[] => {
    const written = configured(instance, name, program) ?? (program === null ? null : configuredOfServer(instance, name));
    return written?.where ? [proof(written.where, `the configuration sets ${name} to ${written.value}`)] : [];
  });
  const [first, ...rest] = [...lines, ...finding.evidence].filter(
    ({at}, index, all) => all.findIndex((other) => other.at.input === at.input && other.at.place === at.place) === index,
  );
  return first === undefined ? finding : {...finding, evidence: [first, ...rest]};
}

/** The setting of the server itself. */
function configuredOfServer(instance: Instance, name: string): Setting | null {
  const written = configured(instance, name);
  return written?.program === undefined ? written : null;
}

/**
 * One trouble, one finding: a smell of the configuration whose line proves a trouble, or whose setting another finding advises,
 * is not said again.
 */
export function withoutProvedSmells(findings: readonly RuleFinding[], timeline: Timeline, smell: string): RuleFinding[] {
  const others = findings.filter(({rule}) => rule !== smell);
  const isConfiguration = ({at}: Evidence) => at.input >= timeline.inputs.length;
  const proved = others.flatMap(({evidence}) => evidence.filter(isConfiguration));
  const advised = new Set(others.flatMap((finding) => finding.fixes.map((fix) => subjectOf(finding, fix))));
  return findings.filter((finding) => {
    const {
      rule,
      fixes: [fix],
      evidence: [{at}],
    } = finding;
    if (rule !== smell) return true;
    if (fix !== undefined && fix.setting !== null && advised.has(subjectOf(finding, fix))) return false;
    return !proved.some((other) => other.at.input === at.input && other.at.place === at.place);
  });
}

/** A program's settings are the same whether its server or its supervisor is asked. */
function subjectOf({instance}: RuleFinding, {section, setting}: Fix): string {
  return programOf(section) === null ? `${instance} ${setting}` : `${section} ${setting}`;
}
