import type {Rule} from '../rules/rule.ts';
import {wrap} from './wrap.ts';

/** All rules, one a line. */
export function ruleList(rules: readonly Rule[], width: number): string {
  const id = Math.max(0, ...rules.map((rule) => rule.id.length));
  const lines = rules.map((rule) =>
    wrap(rule.title, width, `${rule.id.padEnd(id)}  ${rule.severity.padEnd('warning'.length)}  `),
  );
  return [...lines, ''].join('\n');
}

/** All rules with their documentation. */
export function rulesJson(rules: readonly Rule[]): string {
  const plain = rules.map(({id, title, severity, docs, needs}) => ({id, title, severity, docs, needs}));
  return `${JSON.stringify(plain, null, 2)}\n`;
}
