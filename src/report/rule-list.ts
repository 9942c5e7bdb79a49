import type {Rule} from '../rules/rule.ts';
import {wrap} from './wrap.ts';

/** Columns that a title needs to stand beside the rule's name. */
const LEAST_BESIDE = 32;

/** All rules, one a line; where there is no room for that, each title below its rule. */
export function ruleList(rules: readonly Rule[], width: number): string {
  const id = Math.max(0, ...rules.map((rule) => rule.id.length));
  const lines = rules.map((rule) => {
    const front = `${rule.id.padEnd(id)}  ${rule.severity.padEnd('warning'.length)}  `;
    if (width - front.length >= LEAST_BESIDE) return wrap(rule.title, width, front);
    return `${rule.id}  ${rule.severity}\n${wrap(rule.title, width, '  ')}`;
  });
  return [...lines, ''].join('\n');
}

/** All rules with their documentation. */
export function rulesJson(rules: readonly Rule[]): string {
  const plain = rules.map(({id, title, severity, docs, needs}) => ({id, title, severity, docs, needs}));
  return `${JSON.stringify(plain, null, 2)}\n`;
}
