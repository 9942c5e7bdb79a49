import type {Sign, Step} from './matcher.ts';

/** Stands between the texts of a step: no text holds it. */
export const BETWEEN = '\n';

/** Bytes that nothing else becomes when a tool, an editor or a web page has had the line. */
const PLAIN = new Uint8Array(256);
for (const byte of Buffer.from('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ,.:;()]/_=>-|!@')) PLAIN[byte] = 1;

/** So far behind a text is looked: a line may have megabytes. */
const LONGEST = 1000;

/**
 * Whether what has to follow the text of a sign may stand from `from` on: what the line has there up to its end at `to` does not
 * contradict it. The line may have been cut.
 */
export function mayFollow(sign: Sign, buffer: Buffer, from: number, to: number): boolean {
  let at = from;
  const end = Math.min(to, from + LONGEST);
  for (let n = 2; n < sign.length && at < end; n++) {
    const step = sign[n] as Step;
    const next = taken(step, buffer, at, end);
    if (next < 0) return PLAIN[buffer[-1 - next] as number] === 0;
    if (next === end && isSearch(step))
      return end < to || (step[0] === '>' && !sign.some((later, place) => place > n && needsByte(later as Step)));
    at = next;
  }
  return true;
}

/** It looks for something, and does not find it by chance at the end of a line that was cut. */
function isSearch(step: Step): boolean {
  return step[0] === '>' || step[0] === '~';
}

function needsByte(step: Step): boolean {
  return step[0] === '=' ? !step.endsWith(BETWEEN) : step[0] === '1' || step[0] === '+' || step[0] === '~';
}

/** Where what the step takes ends, `to` if the line ends before that; where something else stands, -1 minus the offset of that. */
function taken(step: Step, buffer: Buffer, at: number, to: number): number {
  switch (step[0]) {
    case '=':
      return oneOf(step, buffer, at, to);
    case '1':
      return isMember(step, buffer[at] as number) ? at + 1 : -1 - at;
    case '?':
      return isMember(step, buffer[at] as number) ? at + 1 : at;
    case '*':
    case '+': {
      let next = at;
      while (next < to && isMember(step, buffer[next] as number)) next++;
      return next > at || step[0] === '*' ? next : -1 - at;
    }
    default:
      return placeOf(step, buffer, at, to);
  }
}

/** Where the first of the step's texts stands; `to` where none does. */
function placeOf(step: Step, buffer: Buffer, from: number, to: number): number {
  const first = step.includes(BETWEEN) ? -1 : step.charCodeAt(1);
  let at = from;
  while (at < to && ((first >= 0 && buffer[at] !== first) || oneOf(step, buffer, at, to) < 0)) at++;
  return at;
}

/** The first of the step's texts that stands at `at` is taken. */
function oneOf(step: Step, buffer: Buffer, at: number, to: number): number {
  let furthest = at;
  let next = at;
  for (let place = 1; place <= step.length; place++) {
    const letter = place === step.length ? BETWEEN : step[place];
    if (letter === BETWEEN || next === to) return next;
    if (letter?.charCodeAt(0) === buffer[next]) {
      next++;
      continue;
    }
    furthest = Math.max(furthest, next);
    next = at;
    const other = step.indexOf(BETWEEN, place);
    if (other < 0) break;
    place = other;
  }
  return -1 - furthest;
}

function isMember(step: Step, byte: number): boolean {
  for (let place = 1; place < step.length; place += 2)
    if (step.charCodeAt(place) <= byte && byte <= step.charCodeAt(place + 1)) return true;
  return false;
}
