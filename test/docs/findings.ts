/** docs/findings.md: all that is said of each log of test/rules, not only by the rule that it was written for. */
import type {Diagnosis} from '../../src/analyze.ts';
import type {RuleFinding} from '../../src/rules/rule.ts';
import {groupBy} from '../../src/timeline/group.ts';

/** A log that was written for a rule, and what is said of it. */
export interface Judged {
  readonly rule: string;
  /** The file below the folder of the rule. */
  readonly log: string;
  readonly diagnosis: Diagnosis;
}

export function findingsPage(judged: readonly Judged[]): string {
  const sections = [...groupBy(judged, ({rule}) => rule)].map(
    ([rule, logs]) => `## ${rule}

| log | \`${rule}\` | beside it |
|---|---|---|
${logs.map(row).join('\n')}
`,
  );
  return `<!-- Made by \`npm run docs\` from test/rules. Do not edit. -->

# What is said of each log of test/rules

A log lies in the folder of the rule that it was written for (\`test/rules/<rule>\`). On \`fires-\` that rule finds its trouble, on
\`quiet-\`, a near miss, it does not. Both are held to more than that: this table has every finding on every log, with severity and
confidence (and how many there are, where it is not one). One trouble is one finding: what stands in the last column has to be another
trouble of the same log, or a note that helps with this one.

${sections.join('\n')}`;
}

function row({rule, log, diagnosis: {findings, rules}}: Judged): string {
  const own = findings.filter((finding) => finding.rule === rule);
  const answer = own.length > 0 ? said(own) : rules.find(({id}) => id === rule)?.result;
  const beside = [...groupBy(findings, (finding) => (finding.rule === rule ? null : finding.rule))].flatMap(([other, alike]) =>
    other === null ? [] : [`\`${other}\` ${said(alike)}`],
  );
  return `| ${log} | ${answer} | ${beside.join('; ')} |`;
}

/** "error, likely", or "2 × error, likely". */
function said(findings: readonly RuleFinding[]): string {
  const words = groupBy(findings, ({severity, confidence}) => `${severity}, ${confidence}`);
  return [...words].map(([word, {length}]) => (length > 1 ? `${length} × ${word}` : word)).join(' and ');
}
