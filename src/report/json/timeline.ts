import {endedBy} from '../../timeline/ended-by.ts';
import {settingAt} from '../../timeline/lookup.ts';
import type {ClockStep} from '../../timeline/time.ts';
import {
  type InputSummary,
  type Instance,
  type OrphanedTask,
  type Process,
  type Reload,
  type ReloadedWorker,
  type Setting,
  type Snapshot,
  UNKNOWN_PID,
} from '../../timeline/timeline.ts';
import {iso} from '../instant.ts';
import {inputName} from '../place.ts';
import {coverage} from '../understood.ts';
import type {Notation} from './notation.ts';

export function inputJson(summary: InputSummary, steps: readonly ClockStep[]) {
  return {
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
    from: iso(summary.from, summary.zone, steps),
    to: iso(summary.to, summary.zone, steps),
    zone: summary.zone,
    truncated: summary.truncated,
    oddities: summary.oddities.map(({what, count, firstLine}) => ({what, count, firstLine})),
    unknownExamples: summary.unknownExamples.map(({line, text}) => ({line, text})),
  };
}

export function instanceJson(instance: Instance, notation: Notation) {
  return {
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
    settings: effective(instance.settings).map((each) => settingJson(each, notation)),
    processes: instance.processes.map((each) => processJson(each, notation)),
    unproved: instance.unproved,
  };
}

/** The value in force of each setting, and what the configuration says of it where the log says it as well. */
function effective(settings: readonly Setting[]): readonly Setting[] {
  const told = settings.filter(({from}) => from !== 'config');
  return [
    ...told.filter((each) => each === settingAt(told, each.name) || each.program !== undefined),
    ...settings.filter(({from}) => from === 'config'),
  ];
}

function settingJson({name, value, from, where: line, program}: Setting, {where}: Notation) {
  return {
    name,
    value,
    from: from === 'inferred' ? 'log' : from,
    where: line === null ? null : where(line),
    ...(program === undefined ? {} : {program}),
  };
}

function processJson(process: Process, {at, where}: Notation) {
  return {
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
  };
}

export function reloadJson(reload: Reload, {at, where}: Notation) {
  return {
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
    workers: reload.workers.map(workerJson),
  };
}

function workerJson({worker, oldPid, newPid, wait, end}: ReloadedWorker) {
  return {
    worker,
    oldPid,
    newPid,
    wait: {min: wait.min, max: wait.max},
    // How one died that did neither is told of its process.
    end: end === 'clean' || end === 'forced' ? end : 'unknown',
  };
}

export function orphanJson(task: OrphanedTask, {at, where}: Notation) {
  return {
    id: task.id,
    pid: task.pid,
    worker: task.worker,
    startedAt: at(task.startedAt),
    lostTo: task.lostTo,
    where: where(task.started),
    goneAt: at(task.gone?.at ?? null),
    gone: task.gone === null ? null : where(task.gone),
  };
}

export function snapshotJson({head, rows}: Snapshot, {at, where}: Notation) {
  return {
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
  };
}
