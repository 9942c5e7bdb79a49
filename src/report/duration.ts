import {thousands} from '../number.ts';
import type {Duration} from '../timeline/time.ts';

/** `61 s`, `60–62 s`, `≥ 61 s`, `≤ 62 s`; nothing known is `?`. One unit throughout, for columns. */
export function shortDuration({min, max}: Duration): string {
  const low = figure(min);
  if (max === null) return min === 0 ? '?' : `≥ ${low} s`;
  const high = figure(max);
  if (low === high) return `${high} s`;
  return min === 0 ? `≤ ${high} s` : `${low}–${high} s`;
}

/** For sentences: `61 s`, `4 min 12 s (252 s)`, `60 to 62 s`, `at least 61 s`, `at most 62 s`, `an unknown time`. */
export function longDuration({min, max}: Duration): string {
  if (max === null) return min === 0 ? 'an unknown time' : `at least ${seconds(min)}`;
  if (figure(min) === figure(max)) return seconds(max);
  if (min === 0) return `at most ${seconds(max)}`;
  return `${figure(min)} to ${figure(max)} s${max >= 120 ? ` (about ${minutes((min + max) / 2)})` : ''}`;
}

/** `61 s`, `4 min 12 s (252 s)`, `2 h 3 min (7,380 s)`. */
export function seconds(value: number): string {
  return value < 120 ? `${figure(value)} s` : `${minutes(value)} (${figure(value)} s)`;
}

function minutes(value: number): string {
  const whole = Math.round(value);
  const [hours, mins, secs] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (hours >= 48) return `${Math.floor(hours / 24)} d ${hours % 24} h`;
  if (hours > 0) return `${hours} h ${mins} min`;
  return secs === 0 ? `${mins} min` : `${mins} min ${secs} s`;
}

/** Tenths below ten seconds, whole seconds above: no log gives more than that meaning. */
function figure(value: number): string {
  return thousands(value < 10 ? Math.round(value * 10) / 10 : Math.round(value));
}
