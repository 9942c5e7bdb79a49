import type {Diagnosis} from '../analyze.ts';
import {counted} from '../number.ts';
import type {Evidence, Fix, RuleFinding} from '../rules/rule.ts';
import type {Timeline} from '../timeline/timeline.ts';
import {clip} from './escape.ts';
import {CONFIDENCE, concerned, riskOf, settingLine} from './finding-words.ts';
import {clockOf} from './instant.ts';
import {block, cell, code, html, prose} from './markdown-text.ts';
import {inputName, mainPlace, placeOf} from './place.ts';
import type {Reporter} from './reporter.ts';
import {story} from './text/reloads.ts';
import {notUnderstood} from './understood.ts';
import {bySeverity, verdict} from './verdict.ts';

/** A comment on GitHub may have 65,536 characters; the pages that show it add some. */
const MOST_CHARACTERS = 60_000;
const MOST_ROWS = 50;
const MOST_EVIDENCE = 12;
const MOST_RELOADS = 10;
const LONGEST_LINE = 200;

/** For a pull request's comment or `$GITHUB_STEP_SUMMARY`: the verdict, a table of the findings, and each of them to unfold. */
export const markdown: Reporter = {
  name: 'markdown',
  render(diagnosis, {quiet}) {
    const {timeline, errors} = diagnosis;
    const findings = bySeverity(diagnosis.findings);
    const unclear = notUnderstood(timeline).map(({input, why}) => `${code(inputName(input))} is not understood: ${prose(why)}`);
    const unread = errors.map(({file, message}) => `${code(inputName(file))} is not read: ${prose(message)}`);
    const head = [
      '## logdoctor',
      `**${prose(verdict(diagnosis))}**`,
      ...list([...unread, ...unclear]),
      ...(findings.length === 0 ? [] : [table(findings, timeline)]),
    ];
    const told = quiet ? [] : [...reloads(timeline), unchecked(diagnosis)];
    return `${[...head, ...details(quiet ? [] : findings, timeline, length([...head, ...told])), ...told].join('\n\n')}\n`;
  },
};

function table(findings: readonly RuleFinding[], timeline: Timeline): string {
  const rows = findings.slice(0, MOST_ROWS).map((finding) => {
    const {input, line} = mainPlace(finding, timeline);
    const cells = [
      finding.severity,
      prose(finding.title),
      finding.confidence,
      prose(concerned(finding)),
      code(`${input}:${line}`),
    ];
    return `| ${cells.map(cell).join(' | ')} |`;
  });
  const more = findings.length - rows.length;
  return [
    '| | what | how sure | who | where |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    ...(more === 0 ? [] : [`\n… and ${counted(more, 'more finding')}.`]),
  ].join('\n');
}

/** As many findings in full as there is room for; how many are left out is said. */
function details(findings: readonly RuleFinding[], timeline: Timeline, used: number): readonly string[] {
  const shown: string[] = [];
  for (const finding of findings) {
    const text = detail(finding, timeline);
    used += text.length + 2;
    if (used > MOST_CHARACTERS) break;
    shown.push(text);
  }
  const more = findings.length - shown.length;
  return more === 0 ? shown : [...shown, `… ${counted(more, 'finding')} in full would be too long for a comment.`];
}

function detail(finding: RuleFinding, timeline: Timeline): string {
  const {severity, title, rule, confidence, message, evidence, against, cannotSee, fixes, next} = finding;
  return [
    `<details><summary>${severity}: ${html(title)}</summary>`,
    `${code(rule)} · ${CONFIDENCE[confidence]}`,
    ...message.split(/\n+/).map(prose),
    proof(evidence, timeline),
    ...titled(
      'What to do',
      list(fixes.map(advice), (i) => `${i + 1}.`),
    ),
    ...titled('Other explanations', list(against.map(({hypothesis, because}) => prose(`${hypothesis}: ${because}`)))),
    ...titled('Cannot be seen in this log', list(cannotSee.map(prose))),
    ...titled('To decide it', list(next.map(prose))),
    '</details>',
  ].join('\n\n');
}

function proof(evidence: readonly Evidence[], timeline: Timeline): string {
  const shown = evidence.slice(0, MOST_EVIDENCE);
  const lines = shown.flatMap(({at, shows}, i) => {
    const {input, line} = placeOf(at, timeline);
    const quoted = `${input}:${line}  ${clip(at.text, LONGEST_LINE)}`;
    return shows === '' || shows === shown[i + 1]?.shows ? [quoted] : [quoted, `    -> ${shows}`];
  });
  const more = evidence.length - shown.length;
  return block([...lines, ...(more === 0 ? [] : [`… and ${counted(more, 'more line')} like these`])]);
}

function advice(fix: Fix): string {
  const line = settingLine(fix);
  const effect = `(effect: ${fix.effect}; risk: ${riskOf(fix)})`;
  return line === null ? prose(`${fix.why} ${effect}`) : `${code(line)} ${prose(`${effect} ${fix.why}`)}`;
}

function reloads(timeline: Timeline): readonly string[] {
  const page = {
    clock: clockOf(timeline),
    place: (at: Parameters<typeof placeOf>[0]) => {
      const {input, line} = placeOf(at, timeline);
      return `${input}:${line}`;
    },
  };
  const shown = timeline.reloads.slice(0, MOST_RELOADS).map((reload) => `${reload.id}: ${prose(story(reload, page))}`);
  const more = timeline.reloads.length - shown.length;
  return titled('Reloads and stops', list([...shown, ...(more === 0 ? [] : [`… and ${more} more`])]));
}

/** Silence is never shown as health. */
function unchecked({rules}: Diagnosis): string {
  const count = (result: string) => rules.filter((rule) => rule.result === result).length;
  return (
    `${counted(rules.length, 'rule')}: ${count('fired')} fired, ${count('passed')} found nothing, ` +
    `${count('undecided')} undecided, ${count('skipped')} not checked for want of the lines they need.`
  );
}

function titled(title: string, content: readonly string[]): readonly string[] {
  return content.length === 0 ? [] : [`**${title}**`, ...content];
}

/** One block of Markdown, or none where there is nothing to list. */
function list(items: readonly string[], mark: (index: number) => string = () => '-'): readonly string[] {
  return items.length === 0 ? [] : [items.map((item, i) => `${mark(i)} ${item}`).join('\n')];
}

function length(parts: readonly string[]): number {
  return parts.reduce((sum, part) => sum + part.length + 2, 0);
}
