/** gunicorn's arbiter under other limits: graceful_timeout ends a stop, timeout ends workers that no longer answer. */
import {setting} from '../rules/settings.ts';
import {duration} from '../rules/wording.ts';
import type {Instance} from '../timeline/timeline.ts';
import type {Wish} from './settings.ts';
import {changed, type SimulatedWorker} from './worker.ts';

/** The arbiter looks once a second. */
const LOOK = 1;

/** Measured on gunicorn 20.1: a stop waits for graceful_timeout and kills whoever is left; at a HUP it is timeout that kills. */
export function withArbiterLimit(worker: SimulatedWorker, wish: Wish, instance: Instance, doubts: Set<string>): SimulatedWorker {
  const {asked, forced} = worker.process;
  if (asked === null) return worker;
  if (wish.name === 'graceful_timeout') {
    if (asked.by === 'stop') return withStopLimit(worker, wish.seconds, doubts);
    if (forced?.deadline === 'timeout')
      doubts.add(
        'what graceful_timeout would have done at a HUP: there it bounds how long gthread and the event loops finish requests, and timeout ends what hangs',
      );
    return worker;
  }
  return forced?.deadline === 'timeout' ? withHeartbeatLimit(worker, wish.seconds, instance, doubts) : worker;
}

function withStopLimit(worker: SimulatedWorker, limit: number, doubts: Set<string>): SimulatedWorker {
  const {wait, kills} = worker;
  const {after} = wait;
  const end = {min: limit, max: limit + LOOK};
  if (kills.after.max > 0) {
    if (limit <= wait.now.min + LOOK) return changed(worker, end);
    doubts.add(`whether what was killed after ${duration(wait.now)} would have left by itself within ${limit} s`);
    return changed(worker, {min: after.min, max: end.max}, {min: 0, max: 1});
  }
  if (after.max !== null && after.max <= limit) return worker;
  if (after.min > end.max) return changed(worker, end, {min: 1, max: 1});
  doubts.add('how long workers that left by themselves needed, where no line bounds it: some might have been cut');
  return changed(worker, {min: Math.min(after.min, limit), max: Math.min(after.max ?? end.max, end.max)}, {min: 0, max: 1});
}

/** It counts from the last sign of life, which came before the worker was asked, or after it had ended its requests. */
function withHeartbeatLimit(worker: SimulatedWorker, limit: number, instance: Instance, doubts: Set<string>): SimulatedWorker {
  const {wait} = worker;
  const told = setting(instance, 'timeout')?.value;
  if (typeof told !== 'number' || wait.now.max === null) {
    doubts.add(
      typeof told === 'number'
        ? 'how long the workers that timeout killed had been waited for: no line bounds it'
        : 'which timeout was in force: no line tells it; the configuration would (--config)',
    );
    const isSurelyKilled = limit > 0 && limit < wait.now.min;
    return changed(
      worker,
      {min: 0, max: limit > 0 ? Math.max(limit + LOOK, wait.now.max ?? 0) : null},
      {min: isSurelyKilled ? 1 : 0, max: limit > 0 ? 1 : 0},
    );
  }
  if (limit === 0) {
    doubts.add('how long the workers would have hung: with timeout = 0 nothing ends them');
    return changed(worker, {min: wait.now.min, max: null}, {min: 0, max: 0});
  }
  const change = limit - told;
  const later = {min: Math.max(0, wait.now.min + change - LOOK), max: Math.max(LOOK, wait.now.max + change + LOOK)};
  if (change <= 0) return changed(worker, later);
  doubts.add(`whether what was killed by timeout = ${told} would have left by itself with ${limit}`);
  return changed(worker, {min: wait.now.min, max: later.max}, {min: 0, max: 1});
}
