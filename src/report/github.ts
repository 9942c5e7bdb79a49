import {inShort} from './finding-words.ts';
import {inputName, mainPlace} from './place.ts';
import type {Reporter} from './reporter.ts';
import {text} from './text.ts';
import {notUnderstood} from './understood.ts';
import {verdict} from './verdict.ts';
import {type Annotation, workflowCommands} from './workflow-commands.ts';

/** Workflow commands of GitHub Actions: one annotation a finding, then the whole report folded into a group. */
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
    return workflowCommands(annotations, `logdoctor: ${verdict(diagnosis)}`, text.render(diagnosis, options));
  },
};
