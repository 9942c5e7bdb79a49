import {EXIT_CODES} from './exit-codes.ts';
import {type CommandFacts, type FlagFacts, spelled, usage} from './facts.ts';

/** The manual page, section 1, in the man macros that groff and mandoc read. */
export function manPage(commands: readonly CommandFacts[], bin: string, version: string, about: string): string {
  const lines = [
    `.TH ${bin.toUpperCase()} 1 "" "${bin} ${version}" "User Commands"`,
    '.SH NAME',
    `${roff(bin)} \\- ${roff(about.replace(/\.$/, ''))}`,
    '.SH SYNOPSIS',
    '.nf',
    ...commands.map((command) => `.B ${roff(usage(command, bin))}`),
    '.fi',
    '.SH COMMANDS',
    ...commands.flatMap((command) => section(command)),
    '.SH EXIT STATUS',
    ...EXIT_CODES.flatMap(([code, meaning]) => ['.TP', `.B ${code}`, roff(meaning)]),
    '.SH ENVIRONMENT',
    ...item('NO_COLOR', 'No colours, whatever the terminal can do.'),
    ...item('FORCE_COLOR', 'Colours even in a pipe; 0 or false means none.'),
    ...item('FORCE_HYPERLINK', 'Links to the lines of evidence in a terminal that is not known to follow them; 0 means none.'),
    ...item('TERM', 'With dumb, neither colours nor links.'),
    '.SH EXAMPLES',
    ...commands.flatMap(({examples}) =>
      examples.flatMap(({description, command}) => [
        '.PP',
        ...(description === '' ? [] : [`${roff(description)}:`, '.br']),
        '.nf',
        roff(command),
        '.fi',
      ]),
    ),
  ];
  return `${lines.join('\n')}\n`;
}

function section({name, summary, description, args, flags}: CommandFacts): readonly string[] {
  return [
    `.SS ${roff(name)}`,
    roff(summary),
    ...(description === '' ? [] : ['.PP', roff(description)]),
    ...args.flatMap((arg) => item(arg.name.toUpperCase(), arg.description)),
    ...flags.flatMap((flag) => item(spelled(flag), meaning(flag))),
  ];
}

function meaning({description, fallback}: FlagFacts): string {
  return `${description}${fallback === null ? '' : ` (default: ${fallback})`}`;
}

function item(term: string, text: string): readonly string[] {
  return ['.TP', `.B ${roff(term)}`, roff(text)];
}

/** Text that the formatter takes as it is. */
function roff(text: string): string {
  return text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replace(/^[.']/gm, '\\&$&');
}
