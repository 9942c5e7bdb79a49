import type {Diagnosis} from '../analyze.ts';
import type {Timeline} from '../timeline/timeline.ts';
import {printable} from './escape.ts';
import type {RenderOptions, Reporter} from './reporter.ts';
import {baselineSection} from './text/baseline.ts';
import {checks} from './text/checks.ts';
import {endings} from './text/endings.ts';
import {finding, title} from './text/findings.ts';
import {header} from './text/header.ts';
import {type Page, pageFor} from './text/page.ts';
import {reloads} from './text/reloads.ts';
import {snapshots} from './text/snapshots.ts';
import {tasks} from './text/tasks.ts';
import {unserved} from './text/unserved.ts';
import {notUnderstood, recognised} from './understood.ts';
import {bySeverity, verdict} from './verdict.ts';
import {wrap} from './wrap.ts';

/**
 * The report for people: what was read, what happened, what is wrong and why, what to do. The verdict comes
 * last, where the eye is when a terminal stops scrolling.
 */
export const text: Reporter = {
  name: 'text',
  render(diagnosis, options) {
    const page = pageFor(diagnosis.timeline, options);
    const parts = options.quiet
      ? bySeverity(diagnosis.findings).map((found) => title(found, page))
      : full(diagnosis, options, page);
    const between = options.quiet ? '\n' : '\n\n';
    return `${[...parts, verdictLine(diagnosis, page)].filter((part) => part !== '').join(between)}\n`;
  },
};

function full(diagnosis: Diagnosis, {showRules}: RenderOptions, page: Page): readonly string[] {
  const {timeline, findings} = diagnosis;
  if (!timeline.inputs.some((input) => recognised(input, timeline)))
    return [header(timeline, diagnosis.notes, page), whatToTry(timeline, page)];
  return [
    header(timeline, diagnosis.notes, page),
    ...notUnderstood(timeline).map(({input, why}) => wrap(`${printable(input)}: ${why}`, page.width, 'Not understood  ')),
    ...reloads(timeline, page),
    unserved(timeline, page),
    endings(timeline, page),
    tasks(timeline, page),
    snapshots(timeline, page),
    ...bySeverity(findings).map((found) => finding(found, page)),
    checks(diagnosis, showRules, page),
    baselineSection(diagnosis, page),
  ];
}

/** Nothing was recognised: a dead end would be the worst answer. */
function whatToTry({inputs}: Timeline, page: Page): string {
  const tries = inputs.every(({lines}) => lines === 0) ? TRIES_FOR_NOTHING : TRIES;
  return [page.paint.bold('What to try'), ...tries.map((what) => wrap(what, page.width, '  - ', '    '))].join('\n');
}

const TRIES_FOR_NOTHING = [
  'A pipe: does the command in front of it print anything by itself? journalctl needs the name of the unit, and often sudo.',
  'A file: is it the one that the server writes to (uWSGI: its option logto, logto2 or daemonize)? If it was rotated a moment ago, ' +
    'the lines are in the file beside it: name both, or the directory.',
];

const TRIES = [
  'Is it the log of the application server itself? uWSGI writes lines such as "spawned uWSGI worker 1 (pid: 4321, cores: 1)" ' +
    'to standard error or to the file of its option logto or daemonize; an access log of nginx or the log of the application has none.',
  'Is the part that matters in it? The lines around a reload or stop are needed; a rotated set may have them in an older file.',
  "systemd's words count only where the line names systemd as its writer: journalctl -o cat leaves that out. Take -o short-iso.",
  'logdoctor formats lists what can be read.',
];

function verdictLine(diagnosis: Diagnosis, {paint, width}: Page): string {
  const worst = bySeverity(diagnosis.findings)[0]?.severity;
  const unclear = notUnderstood(diagnosis.timeline).length > 0;
  const color = worst === 'error' ? paint.red : worst === 'warning' || unclear ? paint.yellow : paint.green;
  const word = 'VERDICT';
  const sentence = wrap(printable(verdict(diagnosis)), width, `${word}  `);
  return paint.bold(color(word)) + paint.bold(sentence.slice(word.length));
}
