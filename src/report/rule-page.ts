import type {Rule} from '../rules/rule.ts';
import {paint} from './paint.ts';
import {wrap} from './wrap.ts';

/** The documentation of a rule, for `explain`. */
export function rulePage(rule: Rule, {width, color}: {readonly width: number; readonly color: boolean}): string {
  const {bold, dim} = paint(color);
  const {docs, needs} = rule;
  const section = (name: string, text: string) =>
    text === '' ? [] : ['', bold(name), ...text.split(/\n+/).map((paragraph) => wrap(paragraph, width, '  '))];
  return [
    bold(wrap(`${rule.id}: ${rule.title}`, width)),
    dim(`severity: ${rule.severity}`),
    ...section('What it sees', docs.sees),
    ...section('Why it matters', docs.why),
    ...section('What to do', docs.remedy),
    ...section('When to disbelieve it', docs.limits),
    ...(needs === null
      ? []
      : section('What it needs', `Any of these messages: ${needs.messages.join(', ')}.\nA log without them: ${needs.otherwise}`)),
    ...(docs.references.length === 0 ? [] : ['', bold('References'), ...docs.references.map((reference) => `  ${reference}`)]),
    '',
  ].join('\n');
}
