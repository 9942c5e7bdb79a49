import type {LineRef, LogEvent} from '../timeline/event.ts';
import {isExact} from '../timeline/time.ts';
import type {InputSummary, Timeline} from '../timeline/timeline.ts';
import {type Evidence, type Finding, NO_PROCESS, type Rule} from './rule.ts';
import {capital, count, evidence, list, proof, seconds, sentences, unique} from './wording.ts';

/** Seconds by which lines of one file may be out of order without meaning anything. */
const TOLERANCE = 5;
/** Time zones differ by whole quarters of an hour. */
const QUARTER = 900;
/** How the reading of an input words that its clocks differ. */
const CLOCKS = "the supervisor's clock is ";
/** Summer time sets clocks by so much, in seconds. */
const HOUR = 3600;
/** Seconds by which nobody's clock runs back by itself. */
const PASTED = 60;

interface Clash {
  readonly before: LogEvent;
  readonly after: LogEvent;
  /** Seconds by which the two lines contradict each other; null where that has no single figure. */
  readonly size: number | null;
  readonly because: string;
  /** What is wrong, as a sentence without its end. */
  readonly told: string;
}

const rule: Rule = {
  id: 'clock-disagreement',
  title: 'Times in this log contradict each other',
  severity: 'warning',
  docs: {
    sees:
      'Stamps that step back by more than a few seconds from one line to the next, two lines whose times contradict what the ' +
      'server is known to do, and inputs in which two clocks differ by whole hours.',
    why:
      'All waits and durations are differences between stamps. Where a clock was stepped, or two writers use two zones, they ' +
      'come out wrong by as much, and a person who searches another log at that time searches in the wrong place.',
    remedy:
      'Let all writers use one zone, UTC best: set TZ for the server and do not change it in the application (Django sets ' +
      'TIME_ZONE after the start). Keep the clock in step with a time service that slews. Read the log where it was written.',
    limits:
      'Request lines are left out: they are written at the end of a request and carry the time of its start, so they run ' +
      'backwards by nature. A difference of whole hours between two writers is corrected for where it can be seen, and the ' +
      'change to or from summer time where --tz names the zone.',
    references: [
      'https://docs.djangoproject.com/en/stable/ref/settings/#time-zone',
      'https://chrony-project.org/documentation.html',
    ],
  },
  needs: null,
  *check(timeline) {
    if (timeline.from === null) {
      yield {undecided: 'No line of this log carries a time, so none can contradict another.'};
      return;
    }
    for (const [input, summary] of timeline.inputs.entries()) {
      const clashes = [
        ...stepsBack(timeline, input),
        ...timeline.disagreements
          .filter(({before, after}) => after.input === input && isExact(before.at) && isExact(after.at))
          .map(({before, after, because}) => contradiction(before, after, because)),
      ];
      yield describe(timeline, summary, input, clashes);
    }
  },
};

export default rule;

/** Lines of one writer with a stamp of their own that is earlier than that of the line above. */
function stepsBack(timeline: Timeline, input: number): Clash[] {
  const found: Clash[] = [];
  const last = new Map<string | null, LogEvent>();
  for (const event of timeline.events) {
    // A snapshot is pasted below a log that may go on behind it.
    if (event.input !== input || !isExact(event.at) || event.meaning.kind === 'snapshot') continue;
    const before = last.get(event.stream);
    last.set(event.stream, event);
    if (!before || before.place >= event.place) continue;
    const size = ((before.at.latest ?? 0) - (event.at.earliest ?? 0)) / 1000;
    if (size > TOLERANCE)
      found.push({
        before,
        after: event,
        size,
        because: 'lines of one log are written one after the other',
        told: `Line ${event.line} is stamped ${length(size)} before line ${before.line}, which stands above it`,
      });
  }
  return found;
}

function contradiction(before: LogEvent, after: LogEvent, because: string): Clash {
  const size = apart(before, after);
  const between = size === null ? '' : `: ${length(size)} lie between them`;
  return {
    before,
    after,
    because,
    size,
    told: `The times of line ${before.line} and line ${after.line} cannot both be right${between}, and that does not fit (${because})`,
  };
}

function apart(before: LogEvent, after: LogEvent): number | null {
  const [from, to] = [before.at.latest ?? before.at.earliest, after.at.earliest ?? after.at.latest];
  return from === null || to === null ? null : Math.abs(to - from) / 1000;
}

function describe(timeline: Timeline, summary: InputSummary, input: number, clashes: readonly Clash[]): Finding | null {
  const zones = summary.oddities.filter(({what}) => what.startsWith(CLOCKS));
  if (clashes.length === 0 && zones.length === 0) return null;
  const ordered = [...clashes].sort((a, b) => (b.size ?? 0) - (a.size ?? 0));
  const [worst] = ordered;
  const lines = evidence([
    ...ordered
      .slice(0, 3)
      .flatMap(({before, after, size, because}): Evidence[] => [
        proof(before, `contradicts line ${after.line}${size === null ? '' : ` (${length(size)})`}: ${because}`),
        proof(after, `contradicts line ${before.line}`),
      ]),
    ...zones.flatMap(({what, firstLine}) => {
      const at = nearest(timeline, input, firstLine);
      return at === null ? [] : [proof(at, `here ${what}`)];
    }),
  ]);
  if (!lines) return null;
  const whole =
    worst?.size != null &&
    worst.size >= QUARTER &&
    Math.abs(worst.size - Math.round(worst.size / QUARTER) * QUARTER) <= QUARTER / 10;
  const mayBeFold =
    timeline.clockSteps.length === 0 &&
    clashes.some(({size}) => size !== null && size <= HOUR && size > HOUR - QUARTER) &&
    clashes.every(({size}) => size === null || size <= HOUR);
  // One break, and all that stands before it and after it in order: two pieces.
  const pasted = clashes.length === 1 && worst?.size != null && worst.size >= PASTED;
  const causes = [
    ...(pasted ? ['two pieces of a log that were pasted in another order than they were written'] : []),
    ...reasons(whole || zones.length > 0, mayBeFold),
  ];
  return {
    title: clashes.length > 0 ? rule.title : 'Two clocks in this log differ by whole hours',
    message: sentences(
      worst !== undefined && `${worst.told}.`,
      clashes.length > 1 && `${count(clashes.length, 'pair')} of lines contradict each other, this one the most.`,
      ...unique(zones.map(({what}) => `${capital(what)}; that was corrected for.`)),
      clashes.length > 0 &&
        'Waits and durations around these lines may be wrong by as much. The order of the lines was believed before their times.',
      causes.length > 0 && `Possible reasons: ${list(causes)}.`,
    ),
    confidence: clashes.length > 0 ? 'possible' : 'likely',
    instance: null,
    ...NO_PROCESS,
    evidence: lines,
    against: causes.map((hypothesis) => ({
      hypothesis,
      because: 'the log alone does not decide it',
      line: null,
    })),
    cannotSee: ['which of the clocks is right'],
    fixes: [
      {
        setting: 'TZ',
        section: 'environment',
        value: 'UTC',
        effect: 'all writers of the log use one clock',
        since: null,
        safety: 'safe',
        why: 'Set it where the server is started, and let the application leave it as it is.',
      },
    ],
    next: [
      ...(mayBeFold
        ? [
            'logdoctor --tz Europe/Berlin LOG   # the zone of these stamps: where summer time ended then, times are put right by it',
          ]
        : []),
      'timedatectl; chronyc tracking   # was the clock stepped?',
      'give the log as it was written, without a shipper or a viewer in between, and one writer per file',
    ],
    identity: [clashes.length > 0 ? 'contradiction' : 'zones', ...(timeline.inputs.length > 1 ? [summary.name] : [])],
  };
}

function reasons(whole: boolean, mayBeFold: boolean): string[] {
  const zone = ['the application sets a time zone after the start', 'two writers in two zones'];
  const step = ['the clock of the machine was stepped', 'a shipper or viewer delayed or reordered the lines'];
  const fold = mayBeFold
    ? ['the end of summer time, at which an hour comes twice (--tz with the zone of these stamps puts it right)']
    : [];
  return whole ? [...fold, ...zone, ...step] : [...step, ...zone];
}

/** `12 s`, `1 h`, `2.5 h` */
function length(size: number): string {
  const hours = size / 3600;
  return size >= QUARTER ? `about ${Number(hours.toFixed(1))} h` : seconds(size);
}

/** A line to show for something that is told of a whole input. */
function nearest(timeline: Timeline, input: number, line: number): LineRef | null {
  const own = timeline.events.filter((event) => event.input === input);
  return (
    own.find((event) => event.line >= line) ??
    own.at(-1) ??
    timeline.instances
      .flatMap(({processes}) => processes.flatMap(({segments}) => segments.map(({first}) => first)))
      .find((ref) => ref.input === input) ??
    null
  );
}
