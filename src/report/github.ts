import {createHash} from 'node:crypto';
import type {Severity} from '../rules/rule.ts';
import {printable} from './escape.ts';
import {inShort} from './finding-words.ts';
import {inputName} from './json.ts';
import {mainPlace} from './place.ts';
import type {Reporter} from './reporter.ts';
import {text} from './text.ts';
import {notUnderstood} from './understood.ts';
import {verdict} from './verdict.ts';

/** GitHub keeps so many annotations of each level a step; the rest would be dropped without a word. */
const MOST_OF_A_LEVEL = 10;

/**
 * Workflow commands of GitHub Actions: one annotation a finding, then the whole report folded into a group. While the
 * report is printed, commands are switched off: it quotes lines of a log, and the runner obeys what looks like one.
 */
export const github: Reporter = {
  name: 'github',
  render(diagnosis, options) {
    const {timeline, findings, errors} = diagnosis;
    const annotations: readonly Annotation[] = [
      ...errors.map(({file, message}) => ({severity: 'error', file, title: 'logdoctor: not read', message}) as const),
      ...notUnderstood(timeline).map(
        ({input, why}) =>
          ({severity: 'error', file: inputName(input), title: 'logdoctor: not understood', message: why}) as const,
      ),
      ...findings.map((finding) => {
        const {input, line} = mainPlace(finding, timeline);
        const {severity, rule, confidence} = finding;
        return {severity, file: input, line, title: `${rule} (${confidence}): ${finding.title}`, message: inShort(finding)};
      }),
    ];
    const report = text.render(diagnosis, options);
    // Nobody can write a log that contains the digest of a report that contains the log.
    const token = createHash('sha256').update(report).digest('hex').slice(0, 32);
    return [
      ...(['error', 'warning', 'info'] as const).flatMap((severity) =>
        few(
          severity,
          annotations.filter((each) => each.severity === severity),
        ),
      ),
      `::group::${data(`logdoctor: ${verdict(diagnosis)}`)}`,
      `::stop-commands::${token}`,
      report.trimEnd(),
      `::${token}::`,
      '::endgroup::',
      '',
    ].join('\n');
  },
};

const LEVELS = {error: 'error', warning: 'warning', info: 'notice'} as const;

interface Annotation {
  readonly severity: Severity;
  readonly file: string;
  readonly line?: number;
  readonly title: string;
  readonly message: string;
}

function few(severity: Severity, all: readonly Annotation[]): readonly string[] {
  const shown = all.length <= MOST_OF_A_LEVEL ? all : all.slice(0, MOST_OF_A_LEVEL - 1);
  const commands = shown.map(({file, line, title, message}) => {
    const where = `file=${property(file)}${line === undefined ? '' : `,line=${line}`}`;
    return `::${LEVELS[severity]} ${where},title=${property(title)}::${data(message)}`;
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
