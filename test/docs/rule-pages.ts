/** docs/rules: one page a rule, made of the rule's own documentation and of a log on which it fires. */
import {readdirSync, readFileSync} from 'node:fs';
import {finding} from '../../src/report/text/findings.ts';
import {pageFor} from '../../src/report/text/page.ts';
import {rules} from '../../src/rules/index.ts';
import type {Rule} from '../../src/rules/rule.ts';
import {diagnosed} from '../recordings.ts';

const NOTE = '<!-- Made by `npm run docs` from src/rules and test/rules. Do not edit. -->';
const WIDTH = 100;

export function ruleIndex(): string {
  const rows = rules.map(({id, severity, title}) => `| [\`${id}\`](${id}.md) | ${severity} | ${title} |`);
  return [
    NOTE,
    '',
    '# Rules',
    '',
    'Every rule answers for every log: *fired*, *passed*, *skipped* (the log lacks what it needs, and the answer says what would put it',
    'there) or *undecided*. `logdoctor --show-rules FILE` lists the answers, `logdoctor explain RULE` prints these pages without the',
    'example.',
    '',
    '| rule | severity | fires when |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

export async function rulePage({id, title, severity, docs, needs}: Rule): Promise<string> {
  const file = exampleOf(id);
  const log = readFileSync(file, 'utf8').trimEnd();
  return [
    NOTE,
    '',
    `# ${id}`,
    '',
    `${title}. Severity: ${severity}.`,
    ...section('What it sees', docs.sees),
    ...section('Why it matters', docs.why),
    ...section('What to do', docs.remedy),
    ...section('When to disbelieve it', docs.limits),
    ...(needs === null
      ? []
      : section(
          'What it needs',
          `Any of these messages: ${needs.messages.map((name) => `\`${name}\``).join(', ')}.\nA log without them: ${needs.otherwise}.`,
        )),
    ...section('Example', `From \`${file}\`:`),
    '',
    '```text',
    log,
    '```',
    '',
    'What is said of it:',
    '',
    '```text',
    await saidOf(id, file),
    '```',
    ...section('References', docs.references.map((reference) => `- ${reference}`).join('\n')),
    '',
  ].join('\n');
}

function section(name: string, text: string): string[] {
  return ['', `## ${name}`, '', text];
}

/** The shortest log on which it fires. */
function exampleOf(id: string): string {
  const folder = `test/rules/${id}`;
  const logs = readdirSync(folder)
    .filter((name) => name.startsWith('fires-') && name.endsWith('.log'))
    .map((name) => ({name, size: readFileSync(`${folder}/${name}`).length}));
  logs.sort((a, b) => a.size - b.size || (a.name < b.name ? -1 : 1));
  return `${folder}/${logs[0]?.name}`;
}

async function saidOf(id: string, file: string): Promise<string> {
  const configs = readdirSync(file.slice(0, file.lastIndexOf('/')))
    .map((name) => `${file.slice(0, file.lastIndexOf('/'))}/${name}`)
    .filter((name) => name.startsWith(file.replace(/log$/, '')) && name !== file);
  const {timeline, findings} = await diagnosed([file], configs);
  const page = pageFor(timeline, {width: WIDTH, color: false});
  return findings
    .filter(({rule}) => rule === id)
    .map((found) => finding(found, page))
    .join('\n\n');
}
