import {createHash} from 'node:crypto';
import type {Severity} from '../rules/rule.ts';
import {SEVERITIES} from '../severity.ts';
import {printable} from './escape.ts';

/** GitHub keeps so many annotations of each level a step; the rest would be dropped without a word. */
const MOST_OF_A_LEVEL = 10;

/** Something to be shown beside a line of a file. */
export interface Annotation {
  readonly severity: Severity;
  readonly file?: string;
  readonly line?: number;
  readonly title: string;
  readonly message: string;
}

/**
 * Workflow commands of GitHub Actions: the annotations, the worst first, then the whole report folded into a group. While the
 * report is printed, commands are switched off: it quotes lines of a log, and the runner obeys what looks like one.
 */
export function workflowCommands(annotations: readonly Annotation[], title: string, report: string): string {
  // Nobody can write a log that contains the digest of a report that contains the log.
  const token = createHash('sha256').update(report).digest('hex').slice(0, 32);
  return [
    ...SEVERITIES.flatMap((severity) =>
      few(
        severity,
        annotations.filter((each) => each.severity === severity),
      ),
    ),
    `::group::${data(title)}`,
    `::stop-commands::${token}`,
    report.trimEnd(),
    `::${token}::`,
    '::endgroup::',
    '',
  ].join('\n');
}

const LEVELS = {error: 'error', warning: 'warning', info: 'notice'} as const;

function few(severity: Severity, all: readonly Annotation[]): readonly string[] {
  const shown = all.length <= MOST_OF_A_LEVEL ? all : all.slice(0, MOST_OF_A_LEVEL - 1);
  const commands = shown.map(({file, line, title, message}) => {
    const where = `${file === undefined ? '' : `file=${property(file)},`}${line === undefined ? '' : `line=${line},`}`;
    return `::${LEVELS[severity]} ${where}title=${property(title)}::${data(message)}`;
  });
  const more = all.length - shown.length;
  if (more === 0) return commands;
  const rest = `… and ${more} more of this level: see the report in the log of this step`;
  return [...commands, `::${LEVELS[severity]} title=logdoctor::${data(rest)}`];
}

/** The message of a workflow command. */
function data(text: string): string {
  return text.split('\n').map(printable).join('\n').replaceAll('%', '%25').replaceAll('\n', '%0A');
}

/** The value of a workflow command's property. */
function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
