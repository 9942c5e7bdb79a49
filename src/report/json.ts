import {sep} from 'node:path';
import type {Diagnosis} from '../analyze.ts';
import type {BaselineEntry} from '../checks/baseline.ts';
import type {Measure} from '../measures/measure.ts';
import {measuresOf} from '../measures/measures.ts';
import type {Evidence, Fix, RuleFinding, RuleResult} from '../rules/rule.ts';
import {endedBy} from '../timeline/ended-by.ts';
import type {LineRef} from '../timeline/event.ts';
import {nameOfInput, settingAt} from '../timeline/lookup.ts';
import {
  type InputSummary,
  type Instance,
  type OrphanedTask,
  type Process,
  type Reload,
  type ReloadedWorker,
  type Setting,
  type Snapshot,
  type Timeline,
  UNKNOWN_PID,
} from '../timeline/timeline.ts';
import {printableJson} from './escape.ts';
import {iso, type JsonInstant, jsonInstant} from './instant.ts';
import type {Reporter} from './reporter.ts';
import {coverage} from './understood.ts';
import {verdict} from './verdict.ts';

/** The report for other programs. Its shape is promised: see `logdoctor schema`. */
export const json: Reporter = {
  name: 'json',
  render: (diagnosis) => printableJson(`${JSON.stringify(reportOf(diagnosis), null, 2)}\n`),
};

export type Report = ReturnType<typeof reportOf>;

/** The report as plain data. Keys stand in the order in which they are printed; nothing in it tells when or where it was made. */
export function reportOf(diagnosis: Diagnosis) {
  const {timeline, findings, rules, notes} = diagnosis;
  const write = writer(timeline);
  return {
    schemaVersion: 1,
    verdict: verdict(diagnosis),
    inputs: timeline.inputs.map(write.input),
    instances: timeline.instances.map(write.instance),
    reloads: timeline.reloads.map(write.reload),
    tasks: {
      started: timeline.tasks.started,
      finished: timeline.tasks.finished,
      retried: timeline.tasks.retried,
      orphaned: timeline.tasks.orphaned.map(write.orphan),
    },
    snapshots: timeline.snapshots.map(write.snapshot),
    findings: findings.map(write.finding),
    rules: rules.map(({id, result, reason}: RuleResult) => ({id, result, reason})),
    notes: notes.map(({input, text}) => ({input: inputName(input), text})),
    measures: measuresOf(timeline).map(measure),
    baseline: baselineOf(diagnosis),
  };
}

function measure({id, title, unit, value, missing, of}: Measure) {
  return {id, title, unit, value, missing, count: of.count};
}

/** What a baseline did to the findings; null without one. */
export function baselineOf({baseline}: Diagnosis) {
  if (baseline === undefined) return null;
  const entry = ({fingerprint, rule, title, reason, expires}: BaselineEntry) => ({fingerprint, rule, title, reason, expires});
  return {
    file: inputName(baseline.file),
    accepted: baseline.accepted.map((each) => entry(each.entry)),
    expired: baseline.expired.map((each) => entry(each.entry)),
    stale: baseline.stale.map(entry),
  };
}

/** The zone that holds for instants of the whole timeline: the one that all inputs with a clock agree on. */
function commonZone({inputs}: Timeline): string | null {
  const zones = new Set(inputs.filter(({from}) => from !== null).map(({zone}) => zone));
  return zones.size === 1 ? ([...zones][0] ?? null) : null;
}

/** Names of inputs are paths: with `/` on every platform. */
export function inputName(name: string): string {
  return sep === '/' ? name : name.replaceAll(sep, '/');
}

/** The value in force of each setting, and what the configuration says of it where the log says it as well. */
function effective(settings: readonly Setting[]): readonly Setting[] {
  const told = settings.filter(({from}) => from !== 'config');
  return [
    ...told.filter((each) => each === settingAt(told, each.name) || each.program !== undefined),
    ...settings.filter(({from}) => from === 'config'),
  ];
}

function writer(timeline: Timeline) {
  const zone = commonZone(timeline);
  const at = (instant: Parameters<typeof jsonInstant>[0]): JsonInstant | null => jsonInstant(instant, zone, timeline.clockSteps);
  const where = (ref: LineRef) => ({input: inputName(nameOfInput(timeline, ref)), line: ref.line});

  const input = (summary: InputSummary) => ({
    name: inputName(summary.name),
    bytes: summary.bytes,
    lines: summary.lines,
    compression: summary.compression,
    envelopes: summary.envelopes,
    supervisors: summary.supervisors,
    counts: {
      events: summary.counts.events,
      requests: summary.counts.requests,
      noise: summary.counts.noise,
      application: summary.counts.application,
      unknown: summary.counts.unknown,
    },
    coverage: Math.floor(coverage(summary) * 10_000) / 10_000,
    from: iso(summary.from, summary.zone, timeline.clockSteps),
    to: iso(summary.to, summary.zone, timeline.clockSteps),
    zone: summary.zone,
    truncated: summary.truncated,
    oddities: summary.oddities.map(({what, count, firstLine}) => ({what, count, firstLine})),
    unknownExamples: summary.unknownExamples.map(({line, text}) => ({line, text})),
  });

  const setting = ({name, value, from, where: line, program}: Setting) => ({
    name,
    value,
    from: from === 'inferred' ? 'log' : from,
    where: line === null ? null : where(line),
    ...(program === undefined ? {} : {program}),
  });

  const process = (process: Process) => ({
    pid: process.pid === UNKNOWN_PID ? null : process.pid,
    role: process.role,
    worker: process.worker,
    program: process.program,
    startedAt: at(process.startedAt),
    askedToStopAt: at(process.asked?.at ?? null),
    endedAt: at(process.endedAt),
    end: process.end,
    cause: process.cause,
    endedBy: endedBy(process),
    deadline: process.forced?.deadline ?? null,
    killedBy: process.killedBy,
    ownedBy: process.ownedBy === null ? null : where(process.ownedBy),
    signal: process.signal,
    requests: process.requests,
    predecessorPid: process.predecessorPid,
    successorPid: process.successorPid,
  });

  const instance = (instance: Instance) => ({
    id: instance.id,
    supervisor: instance.supervisor,
    version: instance.version,
    name: instance.name,
    masterPid: instance.masterPid,
    predecessor: instance.predecessor,
    runsAs:
      instance.runsAs === null
        ? null
        : {instance: instance.runsAs.instance, program: instance.runsAs.name, inferred: instance.runsAs.inferred},
    settings: effective(instance.settings).map(setting),
    processes: instance.processes.map(process),
    unproved: instance.unproved,
  });

  const worker = ({worker, oldPid, newPid, wait, end}: ReloadedWorker) => ({
    worker,
    oldPid,
    newPid,
    wait: {min: wait.min, max: wait.max},
    // How one died that did neither is told of its process.
    end: end === 'clean' || end === 'forced' ? end : 'unknown',
  });

  const reload = (reload: Reload) => ({
    id: reload.id,
    instance: reload.instance,
    rivals: reload.rivals,
    kind: reload.kind,
    trigger: reload.trigger,
    beginningSeen: !reload.headless,
    startedAt: at(reload.startedAt),
    endedAt: at(reload.endedAt),
    duration: {min: reload.duration.min, max: reload.endedAt === null ? null : reload.duration.max},
    outcome: reload.outcome,
    where: where(reload.began),
    workers: reload.workers.map(worker),
  });

  const orphan = (task: OrphanedTask) => ({
    id: task.id,
    pid: task.pid,
    worker: task.worker,
    startedAt: at(task.startedAt),
    lostTo: task.lostTo,
    where: where(task.started),
    goneAt: at(task.gone?.at ?? null),
    gone: task.gone === null ? null : where(task.gone),
  });

  const snapshot = ({head, rows}: Snapshot) => ({
    takenAt: at(head?.at ?? rows[0]?.event.at ?? null),
    where: head === null ? null : where(head),
    rows: rows.map(({event, process, contradicts}) => ({
      pid: event.pid,
      worker: event.worker ?? process?.worker ?? null,
      instance: process?.instance ?? null,
      fields: event.fields,
      where: where(event),
      contradicts: contradicts === null ? null : where(contradicts),
    })),
  });

  const evidence = ({at: line, shows}: Evidence) => ({...where(line), text: line.text, shows});

  const fix = ({setting, section, value, effect, since, safety, why, remaining, tried}: Fix) => ({
    setting,
    section,
    value,
    effect,
    since,
    safety,
    why,
    tried: tried === true,
    ...(remaining === undefined ? {} : {remaining}),
  });

  const finding = (finding: RuleFinding) => ({
    rule: finding.rule,
    severity: finding.severity,
    confidence: finding.confidence,
    title: finding.title,
    message: finding.message,
    instance: finding.instance,
    reload: finding.reload,
    pids: finding.pids,
    workers: finding.workers,
    evidence: finding.evidence.map(evidence),
    against: finding.against.map(({hypothesis, because, line, fits, decides, for: speaksFor}) => ({
      hypothesis,
      because,
      line,
      for: speaksFor ?? null,
      fits: fits ?? null,
      decides: decides ?? null,
    })),
    cannotSee: finding.cannotSee,
    fixes: finding.fixes.map(fix),
    next: finding.next,
    fingerprint: finding.fingerprint,
  });

  return {input, instance, reload, orphan, snapshot, finding};
}
