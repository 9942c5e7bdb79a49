import {readFileSync} from 'node:fs';
import {expect, test} from 'vitest';
import {commands} from '../../src/commands/index.ts';
import {factsOf} from '../../src/commands/manual/facts.ts';
import {manPage} from '../../src/commands/manual/man.ts';
import {markdownPage} from '../../src/commands/manual/markdown.ts';

const facts = factsOf(commands, 'logdoctor');

test('docs/commands.md is what the commands say (npm run build writes it)', () => {
  expect(readFileSync('docs/commands.md', 'utf8')).toBe(markdownPage(facts, 'logdoctor'));
});

test('every command says what it is for, and shows how where it takes anything', () => {
  for (const {name, summary, args, examples} of facts) {
    expect(summary, name).toMatch(/^[A-Z].*\.$/);
    if (args.length > 0) expect(examples, name).not.toEqual([]);
  }
});

test('the manual page has every flag, and no line is taken for a request by accident', () => {
  const page = manPage(facts, 'logdoctor', '1.2.3', 'What it is.');
  for (const {flags} of facts) for (const {name} of flags) expect(page).toContain(name.replaceAll('-', '\\-'));
  const requests = page.match(/^\.\w+/gm) ?? [];
  expect(new Set(requests)).toEqual(new Set(['.TH', '.SH', '.SS', '.B', '.TP', '.PP', '.br', '.nf', '.fi']));
  const hostile = [{...facts[0]!, summary: ".so /etc/passwd\n'x \\*(aa", args: [], flags: [], examples: []}];
  expect(manPage(hostile, 'logdoctor', '1', 'x')).toContain("\\&.so /etc/passwd\n\\&'x \\e*(aa");
});
