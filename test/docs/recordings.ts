/** docs/recordings.md: for each rule and each server, how many recordings show the trouble, and on how many the rule stays quiet. */
import {readFileSync} from 'node:fs';
import {analyze} from '../../src/analyze.ts';
import {rules} from '../../src/rules/index.ts';
import {logsOf} from '../recorded-truth.ts';
import {recordings} from './confidence.ts';

const SERVERS = ['uwsgi', 'gunicorn', 'supervisord', 'systemd', 'uvicorn'] as const;
type Server = (typeof SERVERS)[number];

interface Cell {
  /** Recordings on which the rule fires, and rightly so by their truth. Notes count only where the truth asks for them. */
  readonly troubles: string[];
  /** Recordings of the same server that the rule has looked through and found nothing in. */
  readonly quiet: string[];
}

type Table = ReadonlyMap<string, ReadonlyMap<Server, Cell>>;

export async function recorded(): Promise<Table> {
  const table = new Map(
    rules.map(({id}) => [id, new Map(SERVERS.map((server): [Server, Cell] => [server, {troubles: [], quiet: []}]))]),
  );
  for (const folder of recordings()) {
    const [, server = '', name = ''] = folder.split('/');
    const {mustNotFire, expected} = JSON.parse(readFileSync(`${folder}/truth.json`, 'utf8')) as {
      readonly mustNotFire: readonly string[];
      readonly expected: readonly string[];
    };
    const {findings, rules: answers} = await analyze({inputs: logsOf(folder)});
    const told = new Set(
      findings.filter(({severity, rule}) => severity !== 'info' || expected.includes(rule)).map(({rule}) => rule),
    );
    for (const {id, result} of answers) {
      const cell = table.get(id)?.get(server as Server);
      if (result === 'passed') cell?.quiet.push(name);
      if (told.has(id) && !mustNotFire.includes(id)) cell?.troubles.push(name);
    }
  }
  return table;
}

/** What the rule needs is a line of this server, or such a line made it fire. */
function takesPart(rule: (typeof rules)[number], server: Server, {troubles}: Cell): boolean {
  return troubles.length > 0 || rule.needs?.messages.some((message) => message.startsWith(`${server}/`)) === true;
}

export function recordingsPage(table: Table): string {
  const rows = rules.map((rule) => {
    const cells = SERVERS.map((server) => {
      const cell = table.get(rule.id)?.get(server);
      if (cell === undefined || !takesPart(rule, server, cell)) return '';
      return `${cell.troubles.length === 0 ? '**0**' : cell.troubles.length} / ${cell.quiet.length}`;
    });
    return `| [\`${rule.id}\`](rules/${rule.id}.md) | ${cells.join(' | ')} |`;
  });
  const examples = rules.flatMap((rule) => {
    const named = SERVERS.flatMap((server) => {
      const {troubles = [], quiet = []} = table.get(rule.id)?.get(server) ?? {};
      if (troubles.length === 0) return [];
      const twin = twinOf(troubles[0] as string, quiet);
      return [`${server}: \`${troubles[0]}\`${twin === null ? '' : `, quiet on \`${twin}\``}`];
    });
    return named.length === 0 ? [] : [`- \`${rule.id}\`: ${named.join('; ')}`];
  });
  return `<!-- Made by \`npm run docs\` from samples/. Do not edit. -->

# Which troubles were caused with real servers

For each rule and each server whose lines it reads: recordings that show the trouble / recordings of the same server that the rule
looked through and found nothing in. A server that another one runs is in the column of the outer one. An empty field: the rule reads
no line of that server. **0**: the trouble was not caused with that server; its logs in \`test/rules/\` are written after the servers' sources.

| rule | ${SERVERS.join(' | ')} |
|---|${SERVERS.map(() => '---|').join('')}
${rows.join('\n')}

## A recording of each, and one like it that is healthy

${examples.join('\n')}
`;
}

/** The quiet recording whose name begins most like that of the trouble. */
function twinOf(trouble: string, quiet: readonly string[]): string | null {
  const shared = (name: string) => [...name].findIndex((letter, n) => letter !== trouble[n]);
  const likeness = (name: string) => (shared(name) < 0 ? name.length : shared(name)) + (name.includes('healthy') ? 3 : 0);
  return [...quiet].sort((a, b) => likeness(b) - likeness(a))[0] ?? null;
}
