import {printable} from './escape.ts';
import {concerned} from './finding-words.ts';
import {paint} from './paint.ts';
import {mainPlace} from './place.ts';
import type {Reporter} from './reporter.ts';
import {bySeverity, verdict} from './verdict.ts';

/** `uwsgi.log:44: error app-threads-block-shutdown: title (likely; workers 1-4 of reload-1)`, then the verdict. */
export const concise: Reporter = {
  name: 'concise',
  render(diagnosis, {color}) {
    const {bold, red, yellow, cyan} = paint(color);
    const colors = {error: red, warning: yellow, info: cyan};
    const lines = bySeverity(diagnosis.findings).map((finding) => {
      const {input, line} = mainPlace(finding, diagnosis.timeline);
      const {severity, rule, title, confidence} = finding;
      const about = [confidence, concerned(finding)].filter((part) => part !== '').join('; ');
      return `${printable(input)}:${line}: ${colors[severity](severity)} ${rule}: ${printable(`${title} (${about})`)}`;
    });
    return [...lines, `${bold('verdict')}: ${printable(verdict(diagnosis))}`, ''].join('\n');
  },
};
