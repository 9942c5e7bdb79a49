import type {RuleFinding} from '../rules/rule.ts';
import type {EventKind, LogEvent} from '../timeline/event.ts';
import type {Timeline} from '../timeline/timeline.ts';

/** Lines that mean trouble by themselves, whatever stands around them. */
const TROUBLES: ReadonlySet<EventKind> = new Set([
  'app-load-failed',
  'crash',
  'deadline-detail',
  'master-lost',
  'out-of-memory',
  'process-forced',
  'process-left-over',
  'program-failed',
  'program-given-up',
  'respawn-throttled',
  'start-aborted',
  'task-cut',
]);

/** What servers say of themselves that no rule is about. */
const FAULTS: ReadonlySet<string> = new Set([
  'gunicorn/asgi-error',
  'hypercorn/lifespan-failure',
  'hypercorn/lifespan-timeout',
  'uvicorn/shutdown-failed',
  'uwsgi/configuration-error',
  'uwsgi/daemon-failed',
  'uwsgi/fallback-exit',
  'uwsgi/locked-by-another',
  'uwsgi/mountpoint-failed',
  'uwsgi/no-socket',
  'uwsgi/python-home-missing',
  'uwsgi/queue-full',
  'uwsgi/signal-failed',
  'uwsgi/something-horrible',
  'uwsgi/spooler-trouble',
]);

/** Lines of a stop or a reload that is under way. */
const STEPS: ReadonlySet<EventKind> = new Set([
  'chain-step',
  'chain-waiting',
  'group-stopping',
  'helper-stopping',
  'process-asked',
  'program-stopping',
  're-executing',
  'reload-asked',
  'reload-began',
  'requests-pending',
  'stop-began',
]);

/** Lines that tell what became of it. */
const OUTCOMES: ReadonlySet<EventKind> = new Set([
  'app-loaded',
  'group-stopped',
  'master-re-executed',
  'master-started',
  'process-ended',
  'process-leaving',
  'process-started',
  'program-down',
  'program-reloaded',
  'program-starting',
  'program-up',
  'reload-ended',
  'slot-emptied',
  'starting',
  'stop-ended',
]);

/** What lines tell by themselves and no finding has taken up. */
export interface LooseEnds {
  readonly trouble: LogEvent | null;
  /** The last line of a stop or reload of whose outcome its writer says nothing more. */
  readonly underWay: LogEvent | null;
  /** A line that one is under way, whatever became of it. */
  readonly begun: LogEvent | null;
  /** The end of a stop or reload. */
  readonly end: LogEvent | null;
  /** The first line of a start of which its writer says no more. */
  readonly starting: LogEvent | null;
}

export function looseEnds({events}: Timeline, findings: readonly RuleFinding[]): LooseEnds {
  const named = new Set(findings.flatMap(({evidence}) => evidence.map(({at}) => at.place)));
  const steps = new Map<string | null, LogEvent>();
  const starts = new Map<string | null, LogEvent>();
  for (const event of events) {
    if (isBanner(event)) starts.set(event.stream, event);
    else if (showsStart(event)) starts.delete(event.stream);
    if (isStep(event)) steps.set(event.stream, event);
    else if (isOutcome(event) && !(event.meaning.kind === 'process-leaving' && isRenewal(steps.get(event.stream))))
      steps.delete(event.stream);
  }
  return {
    trouble: events.find((event) => meansTrouble(event) && !named.has(event.place) && !isWanted(event, events)) ?? null,
    underWay: [...steps.values()].at(-1) ?? null,
    begun: events.find(isStep) ?? null,
    end: events.find(isEnd) ?? null,
    starting: [...starts.values()].at(-1) ?? null,
  };
}

/** A daemon is started again that was told to stop. */
function isWanted({meaning: {kind}}: LogEvent, events: readonly LogEvent[]): boolean {
  return (
    kind === 'process-started' && events.some((each) => each.meaning.kind === 'helper-stopping' && each.meaning.role === 'daemon')
  );
}

function meansTrouble({pid, message, fields, meaning: {kind, role, ending, fatal, deadline, respawned}}: LogEvent): boolean {
  // Whoever had it end says so.
  if (kind === 'process-started') return role === 'daemon' && respawned === true;
  // The timeline knows the ends of processes that are named.
  if (kind === 'process-ended')
    return (ending === 'died' && pid === null) || (message === 'supervisord/exited' && fields.expected === false);
  if (kind === 'no-app') return fatal === true;
  return (
    TROUBLES.has(kind) || FAULTS.has(message) || fields.unasked !== undefined || (kind === 'vassal' && deadline !== undefined)
  );
}

/** A worker that goes for new code: only the start of the next one shows what became of it. */
function isRenewal(event: LogEvent | undefined): boolean {
  return event?.meaning.kind === 'recycle-began' && event.meaning.cause === 'reload';
}

function isStep(event: LogEvent): boolean {
  const {kind, reload} = event.meaning;
  return STEPS.has(kind) || isRenewal(event) || ((kind === 'vassal' || kind === 'remark') && reload !== undefined);
}

function isOutcome({meaning: {kind}}: LogEvent): boolean {
  return OUTCOMES.has(kind) || kind === 'vassal';
}

/** Of servers whose starts go on to say which workers there are. */
function isBanner({message}: LogEvent): boolean {
  return message === 'uwsgi/starting' || message === 'gunicorn/starting';
}

function showsStart(event: LogEvent): boolean {
  const {kind, role} = event.meaning;
  if (kind === 'process-started') return role !== 'gateway' && role !== 'daemon' && role !== 'mule' && role !== 'spooler';
  return isOutcome(event) || isStep(event) || meansTrouble(event) || role === 'emperor' || event.meaning.value === 'no-workers';
}

const ENDS: ReadonlySet<EventKind> = new Set(['group-stopped', 'program-down', 'reload-ended', 'stop-ended']);

function isEnd({meaning: {kind, ending, cause}}: LogEvent): boolean {
  return ENDS.has(kind) || (kind === 'process-ended' && (ending === 'collected' || cause === 'stop'));
}
