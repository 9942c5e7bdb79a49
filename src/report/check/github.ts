import {type Assertion, fails} from '../../checks/check.ts';
import type {Severity} from '../../rules/rule.ts';
import type {Timeline} from '../../timeline/timeline.ts';
import {inShort} from '../finding-words.ts';
import {inputName, mainPlace, placeOf} from '../place.ts';
import {notUnderstood} from '../understood.ts';
import {type Annotation, workflowCommands} from '../workflow-commands.ts';
import type {CheckReporter} from './reporter.ts';
import {checkText} from './text.ts';
import {checkVerdict} from './verdict.ts';
import {RESULT_WORDS, wordsFor} from './words.ts';

/** Workflow commands of GitHub Actions: an annotation for each assertion that did not pass and for each finding that explains it. */
export const checkGithub: CheckReporter = {
  name: 'github',
  render(check, diagnosis, options) {
    const {timeline} = diagnosis;
    const severityOf = (assertion: Assertion): Severity =>
      fails(assertion, check.strict) ? 'error' : assertion.result === 'unmeasured' ? 'info' : 'warning';
    const open = check.assertions.filter(({result}) => result !== 'passed');
    const annotations: readonly Annotation[] = [
      ...notUnderstood(timeline).map(
        ({input, why}) =>
          ({severity: 'error', file: inputName(input), title: 'logdoctor: not understood', message: why}) as const,
      ),
      ...open.flatMap((assertion) => annotated(assertion, severityOf(assertion), timeline)),
    ];
    return workflowCommands(
      annotations,
      `logdoctor check: ${checkVerdict(check, timeline)}`,
      checkText.render(check, diagnosis, options),
    );
  },
};

/** A measure is told once, at its worst case; findings each at their own place, with what to do. */
function annotated(assertion: Assertion, severity: Severity, timeline: Timeline): readonly Annotation[] {
  const {headline, details} = wordsFor(assertion, timeline);
  if (assertion.about !== 'measure' && assertion.findings.length > 0) {
    return assertion.findings.map((finding) => {
      const {input, line} = mainPlace(finding, timeline);
      return {severity, file: input, line, title: `${finding.rule}: ${finding.title}`, message: inShort(finding)};
    });
  }
  const at = details.find((each) => each.at !== null)?.at ?? null;
  const where = at === null ? null : placeOf(at, timeline);
  return [
    {
      severity,
      ...(where === null ? {} : {file: where.input, line: where.line}),
      title: `${assertion.id} ${RESULT_WORDS[assertion.result]}`,
      message: [headline, ...details.slice(0, MOST_CASES).map(({text}) => `- ${text}`)].join('\n'),
    },
  ];
}

const MOST_CASES = 5;
