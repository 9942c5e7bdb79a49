/** docs/recordings.md: for each rule and each server, how many recordings show the trouble, and on how many the rule stays quiet. */
import {rules} from '../../src/rules/index.ts';
import {diagnosed, logsOf, recordings, truthOf} from '../recordings.ts';

const SERVERS = ['uwsgi', 'gunicorn', 'supervisord', 'systemd', 'uvicorn'] as const;
type Server = (typeof SERVERS)[number];

/** Where the table has a **0**, nothing, or no healthy twin: why it was not caused. */
const NOT_CAUSED: Readonly<Record<string, string>> = {
  'clients-gone':
    'Nothing to be quiet about: the rule only looks at lines of answers that could not be written. Its twin, `clients-wait`, has none.',
  'clock-disagreement': 'A fault of the log, not of a server: told wherever it is found.',
  'configuration-not-in-force': 'Needs `--config`: the recordings are read without; `test/config/` has its cases.',
  'known-upstream-trouble':
    'Recorded with uWSGI 2.0.30 and Python 3.13, built from source. Its twin, `fork-hooks`, has no line of a fatal error. Of the troubles ' +
    'that other rules tell by version, `crash-at-exit` needs a C++ library with static objects, and was not caused.',
  'log-hides-times': 'A note about the log itself.',
  'memory-kill':
    "The lines are the kernel's. A quiet log of uWSGI with them beside it is in the column of systemd: `memory-uwsgi-worker-within-limits`.",
  'no-idle-worker': 'The lines are those of the trouble alone. Its twin, `busyness-has-room`, has none of them.',
  'platform-errors': "Heroku's router cannot be run here. nginx was.",
  'risky-setting': 'Needs `--config` or show-config, and no trouble: it tells what may come of a setting.',
  'slow-start-empties-service': "The lines of uvicorn are those of gunicorn's uvicorn workers: recorded there.",
};

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
    const {mustNotFire, expected} = truthOf(folder);
    const {findings, rules: answers} = await diagnosed(logsOf(folder));
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

## Not caused, and why

${Object.entries(NOT_CAUSED)
  .map(([rule, why]) => `- \`${rule}\`: ${why}`)
  .join('\n')}

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
