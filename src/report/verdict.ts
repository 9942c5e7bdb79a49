import type {Diagnosis} from '../analyze.ts';
import {greatest} from '../extremes.ts';
import {counted} from '../number.ts';
import {groupStop} from '../rules/deaths.ts';
import type {RuleFinding} from '../rules/rule.ts';
import {list} from '../rules/wording.ts';
import {SEVERITIES} from '../severity.ts';
import type {LogEvent} from '../timeline/event.ts';
import {SEEN} from '../timeline/snapshots.ts';
import type {Instance, ProcessEnd, Reload, Timeline} from '../timeline/timeline.ts';
import type {TimeWindow} from '../timeline/window.ts';
import {longDuration} from './duration.ts';
import {riskOf} from './finding-words.ts';
import {type LooseEnds, looseEnds} from './loose-ends.ts';
import {placeOf} from './place.ts';
import {notUnderstood, recognised} from './understood.ts';

/**
 * The answer in one sentence of plain words. It never calls a log healthy that was not understood.
 * May hold text of the log (names): whoever prints it escapes it.
 */
export function verdict(diagnosis: Diagnosis): string {
  const {timeline, findings} = diagnosis;
  if (!timeline.inputs.some((input) => recognised(input, timeline))) {
    return timeline.inputs.every(({lines}) => lines === 0)
      ? 'Nothing to judge: the input is empty.'
      : 'Not understood: no line of the input tells what a known supervisor did, so nothing can be said about it.';
  }
  const [worst, ...others] = bySeverity(findings);
  const isHealthy = worst === undefined || worst.severity === 'info';
  const judged = isHealthy ? healthy(diagnosis) : troubled(worst, others, timeline.reloads);
  const unclear = notUnderstood(timeline).map(({input, why}) => `${input} was not understood, ${why}`);
  return [judged, ...(isHealthy ? unknownLines(timeline) : []), ...limits(timeline.window), ...unclear].join('; ').concat('.');
}

/** What looks like a server's words and is not known may be the very trouble. */
function unknownLines({inputs}: Timeline): readonly string[] {
  const understood = inputs.filter(({counts}) => counts.events + counts.requests > 0);
  const lines = understood.reduce((sum, {counts}) => sum + counts.unknown, 0);
  return lines === 0
    ? []
    : [`${counted(lines, 'line')} that ${lines === 1 ? 'looks' : 'look'} like a server's could not be read`];
}

function limits(window: TimeWindow | undefined): readonly string[] {
  const flags = [...(window?.since == null ? [] : ['--since']), ...(window?.until == null ? [] : ['--until'])];
  return flags.length === 0
    ? []
    : [`only the time that ${flags.join(' and ')} ${flags.length === 1 ? 'asks' : 'ask'} for was judged`];
}

/** Characters of a line that a sentence may hold. */
const LONGEST_QUOTE = 100;
const VIOLENT: ReadonlySet<ProcessEnd> = new Set(['forced', 'crashed', 'killed']);

/** Errors first, then warnings; within one severity as the rules gave them. */
export function bySeverity(findings: readonly RuleFinding[]): readonly RuleFinding[] {
  return SEVERITIES.flatMap((severity) => findings.filter((f) => f.severity === severity));
}

function troubled(worst: RuleFinding, others: readonly RuleFinding[], reloads: readonly Reload[]): string {
  const kinds = {error: 'error', warning: 'warning', info: 'note'} as const;
  const also = SEVERITIES.flatMap((severity) => {
    const count = others.filter((finding) => finding.severity === severity).length;
    return count === 0 ? [] : [counted(count, `${severity === worst.severity ? 'further ' : ''}${kinds[severity]}`)];
  });
  const title = worst.title.replace(/[.\s]+$/, '');
  const cost = reloads.filter(({id}) => id === worst.reload).flatMap(costOf);
  // Where several causes fit alike no setting is known to help.
  const setting = worst.confidence === 'possible' ? undefined : settingToTry(worst.fixes);
  return [
    // A title that says how sure it is need not be told twice.
    worst.confidence === 'certain' || title.includes(worst.confidence) ? title : `${title} (${worst.confidence})`,
    ...cost,
    ...(setting === undefined
      ? []
      : [`the setting to try first is ${setting.setting} = ${setting.value}: ${setting.effect} (${riskOf(setting)})`]),
    ...(also.length === 0 ? [] : [`also ${list(also)}`]),
  ].join('; ');
}

/** None where something safe that is no setting (a later version) comes before one that may cut requests. */
function settingToTry(fixes: RuleFinding['fixes']): RuleFinding['fixes'][number] | undefined {
  const first = fixes.findIndex((fix) => fix.setting !== null && fix.value !== null);
  const isOutdone = fixes.slice(0, Math.max(first, 0)).some(({safety}) => safety === 'safe');
  return isOutdone && fixes[first]?.safety !== 'safe' ? undefined : fixes[first];
}

function costOf({kind, duration, outcome, overBy, silence}: Reload): readonly string[] {
  if (duration.min === 0 && duration.max === null && silence.min === 0) return [];
  const name = kind === 'stop' ? 'the stop' : 'the reload';
  return [
    outcome === 'completed'
      ? `${name} took ${longDuration(duration)}`
      : outcome === 'failed'
        ? `${name} was cut short after ${longDuration(duration)}`
        : overBy !== null || silence.min > duration.min
          ? `${name} has no end in the log`
          : `${name} was not finished after ${longDuration({min: duration.min, max: null})}`,
  ];
}

/** Without a finding that matters. Processes that were killed or crashed are named all the same: no rule is no proof of health. */
function healthy(diagnosis: Diagnosis): string {
  const {timeline, findings, rules} = diagnosis;
  const ends = looseEnds(timeline, findings);
  const checked = rules.filter(({result}) => result === 'passed' || result === 'fired').length;
  const open = undecided(diagnosis, ends);
  const found = remarkable(diagnosis, ends, checked) ?? open ?? 'No trouble found';
  const notes = findings.length === 0 ? '' : `, ${counted(findings.length, 'note')}`;
  const of =
    checked === rules.length
      ? `${counted(checked, 'rule')} checked`
      : `${checked} of ${counted(rules.length, 'rule')} could be checked`;
  // That the only reload has no end need not be told twice.
  const isTold = found === open && timeline.reloads.length === 1;
  return `${found}${notes}${isTold ? '' : `: ${courseOf(timeline, ends)}`}; ${of}`;
}

/** What is no finding and still forbids to say that no trouble was found; null for nothing. */
function remarkable({timeline, baseline}: Diagnosis, {trouble}: LooseEnds, checked: number): string | null {
  const accepted = baseline?.accepted.length ?? 0;
  if (accepted > 0) return `No trouble found beyond ${counted(accepted, 'accepted finding')}`;
  // A signal to the whole group reaches workers too: an ordinary stop.
  const victims = timeline.instances.flatMap((instance) =>
    instance.processes.filter(
      (process) => VIOLENT.has(process.end) && (process.end === 'forced' || groupStop(timeline, instance, process) === null),
    ),
  ).length;
  const killed = `${counted(victims, 'process', 'processes')} ${victims === 1 ? 'was' : 'were'} killed or crashed`;
  if (victims > 0) return `No rule names a trouble, although ${killed}`;
  if (trouble !== null) return `No rule names a trouble, although ${line(trouble, timeline)} tells of one: ${quoted(trouble)}`;
  const nothing = 'Nothing can be said about this log';
  if (isSnapshot(timeline)) return inBetween(timeline) ?? nothing;
  return checked === 0 ? nothing : null;
}

/** All of its workers are to be recycled, and none has come back. */
function isLeaving({processes, stopped}: Instance, {messages}: Timeline): boolean {
  const workers = processes.filter(({role}) => role === 'worker');
  // uvicorn's processes do not say which of them it is whose limit is reached.
  const isLimited = messages.has('uvicorn/request-limit');
  return (
    stopped === null &&
    workers.length > 0 &&
    workers.every(
      ({asked, leaving, ended, successor}) =>
        successor === null && ((asked?.by === 'itself' && ended === null) || (isLimited && leaving !== null)),
    )
  );
}

/** That a reload, a stop or a start has no end in the log; null where each has one. */
function undecided({timeline, findings}: Diagnosis, {underWay, starting}: LooseEnds): string | null {
  const open = findings.find(({rule}) => rule === 'reload-unfinished')?.title;
  if (open !== undefined) return `Undecided (${open.charAt(0).toLowerCase()}${open.slice(1)})`;
  const endless = timeline.reloads.filter(({outcome}) => outcome === 'unfinished');
  if (endless.length > 0)
    return `Undecided (${countedReloads(endless)} ${endless.length === 1 ? 'has' : 'have'} no end in this log)`;
  if (timeline.instances.some((instance) => isLeaving(instance, timeline)))
    return 'Undecided (every worker that this log shows had begun to leave, and it shows no replacement)';
  if (underWay === null)
    return starting === null ? null : `Undecided (the log ends during the start at ${line(starting, timeline)})`;
  return `Undecided (a reload or stop is under way at ${line(underWay, timeline)} and has no end in this log)`;
}

function courseOf(timeline: Timeline, {begun, end}: LooseEnds): string {
  if (isSnapshot(timeline)) return 'it is a snapshot, which shows one moment and not what led to it or came after';
  if (timeline.reloads.length > 0) return reloadsInWords(timeline.reloads);
  if (begun !== null) return 'the log shows lines of a reload or stop, and no whole one';
  if (end !== null) return 'the log shows the end of a reload or stop, and not its beginning';
  return 'the log shows no reload and no stop';
}

/** Where it stands, in words. */
function line(event: LogEvent, timeline: Timeline): string {
  const {input, line} = placeOf(event, timeline);
  return timeline.inputs.length > 1 ? `line ${line} of ${input}` : `line ${line}`;
}

function quoted({text: line}: LogEvent): string {
  const text = line.trim().replace(/\s+/g, ' ');
  return `"${text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text}"`;
}

/** What a unit is doing that neither runs nor is down, in words; null where none is shown. */
const IN_BETWEEN: Readonly<Record<string, string>> = {
  deactivating: 'a stop was under way and had not ended',
  activating: 'a start was under way and had not ended',
  reloading: 'a reload was under way and had not ended',
};

function inBetween(timeline: Timeline): string | null {
  const event = timeline.events.find(({fields}) => String(fields.state) in IN_BETWEEN);
  return event === undefined
    ? null
    : `Undecided (${IN_BETWEEN[String(event.fields.state)]}, as ${line(event, timeline)} shows: ${quoted(event)})`;
}

function isSnapshot({events, inputs}: Timeline): boolean {
  return (
    events.length > 0 && inputs.every(({counts}) => counts.requests === 0) && events.every(({meaning}) => SEEN.has(meaning.kind))
  );
}

/** `2 reloads`, `1 stop`, `3 reloads and stops` */
export function countedReloads(some: readonly Pick<Reload, 'kind'>[]): string {
  const stops = some.filter(({kind}) => kind === 'stop').length;
  return stops === 0
    ? counted(some.length, 'reload')
    : stops === some.length
      ? counted(stops, 'stop')
      : counted(some.length, 'reload or stop', 'reloads and stops');
}

function reloadsInWords(reloads: readonly Reload[]): string {
  const completed = reloads.filter(({outcome}) => outcome === 'completed');
  const stops = completed.filter(({kind}) => kind === 'stop').length;
  const parts = [
    ...(completed.length > stops ? [counted(completed.length - stops, 'reload')] : []),
    ...(stops > 0 ? [counted(stops, 'stop')] : []),
  ];
  const unfinished = reloads.length - completed.length;
  const rest =
    unfinished === 0 ? '' : `${parts.length === 0 ? countedReloads(reloads) : `, ${unfinished}`} not completed within this log`;
  if (parts.length === 0) return rest;
  const longest = greatest(completed.map(({duration}) => duration.max ?? Number.POSITIVE_INFINITY));
  const [only] = completed.length === 1 ? completed : [];
  const within = Number.isFinite(longest) ? ` in ${longDuration({min: 0, max: longest})} each` : '';
  const isKnown = only !== undefined && (only.duration.min > 0 || only.duration.max !== null);
  const took = isKnown ? ` in ${longDuration(only.duration)}` : within;
  return `${list(parts)} completed${took}${rest}`;
}
