import {EXIT_CODES} from './exit-codes.ts';
import {type CommandFacts, spelled, usage} from './facts.ts';

/** The reference of all commands as a page of documentation. */
export function markdownPage(commands: readonly CommandFacts[], bin: string): string {
  return [
    '# Commands',
    `Generated from the commands themselves by the build. \`${bin} COMMAND --help\` says the same.`,
    commands.map(({name, summary}) => `- [\`${bin} ${name}\`](#${bin}-${name}): ${summary}`).join('\n'),
    ...commands.flatMap((command) => section(command, bin)),
    '## Exit codes',
    table(
      ['code', 'meaning'],
      EXIT_CODES.map(([code, meaning]) => [String(code), meaning]),
    ),
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n');
}

function section(command: CommandFacts, bin: string): readonly string[] {
  const {name, summary, description, examples, args, flags} = command;
  return [
    `## ${bin} ${name}`,
    summary,
    ...(examples.length === 0 ? [] : [fenced(examples.flatMap((example) => exampleLines(example.description, example.command)))]),
    fenced([usage(command, bin)]),
    ...(description === '' ? [] : [description]),
    ...(args.length === 0
      ? []
      : [
          table(
            ['argument', 'meaning'],
            args.map((arg) => [`\`${arg.name.toUpperCase()}\``, arg.description]),
          ),
        ]),
    ...(flags.length === 0
      ? []
      : [
          table(
            ['flag', 'meaning'],
            flags.map((flag) => [
              `\`${spelled(flag)}\``,
              `${flag.description}${flag.fallback === null ? '' : ` (default: \`${flag.fallback}\`)`}`,
            ]),
          ),
        ]),
  ];
}

function exampleLines(description: string, command: string): readonly string[] {
  return description === '' ? [command] : [`# ${description}`, command];
}

function fenced(lines: readonly string[]): string {
  return ['```sh', ...lines, '```'].join('\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
