import type {Diagnosis} from '../../analyze.ts';
import {counted} from '../../number.ts';
import type {RuleResult} from '../../rules/rule.ts';
import {printable} from '../escape.ts';
import {wrap} from '../wrap.ts';
import type {Page} from './page.ts';

/** What was checked and what could not be: silence is never shown as health. */
export function checks({rules, findings}: Diagnosis, showRules: boolean, page: Page): string {
  const nothingFound = findings.length === 0;
  if (showRules) return everyRule(rules, page);
  const skipped = rules.filter(({result}) => result === 'skipped').length;
  const undecided = rules.filter(({result}) => result === 'undecided');
  const passed = rules.flatMap(({id, result}) => (result === 'passed' ? [id] : []));
  const lines = [
    ...(nothingFound && passed.length > 0 ? [wrap(`${passed.join(', ')}: nothing found`, page.width, 'Checked  ')] : []),
    ...undecided.map(({id, reason}) => wrap(`${id}: ${printable(reason)}`, page.width, 'Undecided  ')),
    ...(skipped === 0
      ? []
      : [
          wrap(
            `${skipped} of ${counted(rules.length, 'rule')}: this log lacks the lines they need (--show-rules tells which)`,
            page.width,
            'Not checked  ',
          ),
        ]),
  ];
  return lines.join('\n');
}

function everyRule(rules: readonly RuleResult[], page: Page): string {
  const id = Math.max(0, ...rules.map((rule) => rule.id.length));
  const lines = rules.map((rule) =>
    wrap(printable(rule.reason), page.width, `  ${rule.id.padEnd(id)}  ${rule.result.padEnd('undecided'.length)}  `),
  );
  return [page.paint.bold('Rules'), ...lines].join('\n');
}
