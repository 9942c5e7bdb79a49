import {ANY, BEFORE, ONE, OPTIONAL, PLAIN, REST, SOME, STEP, TEXTS, type VocabularyImage, WORD} from './vocabulary-image.ts';

/** So far behind a text is looked: a line may have megabytes. */
const LONGEST = 1000;

/**
 * Whether what has to follow the text of a sign, the steps at `steps`, may stand from `from` on: what the line has there up to its end at
 * `to` does not contradict it. The line may have been cut.
 */
export function mayFollow(
  image: VocabularyImage,
  texts: Uint8Array,
  steps: number,
  buffer: Buffer,
  from: number,
  to: number,
): boolean {
  let at = from;
  const end = Math.min(to, from + LONGEST);
  let step = steps / WORD + 1;
  for (const last = step + STEP * (image[step - 1] as number); step < last && at < end; step += STEP) {
    const next = taken(image, texts, step, buffer, at, end);
    if (next < 0) return !isMember(image, PLAIN, buffer[-1 - next] as number);
    const does = image[step] as number;
    // It looks for something, and does not find it by chance at the end of a line that was cut.
    if (next === end && does >= BEFORE) return end < to || does === REST;
    at = next;
  }
  return true;
}

/** Where what the step takes ends, `to` if the line ends before that; where something else stands, -1 minus the offset of that. */
function taken(image: VocabularyImage, texts: Uint8Array, step: number, buffer: Buffer, at: number, to: number): number {
  const inside = image[step + 1] as number;
  const does = image[step] as number;
  switch (does) {
    case TEXTS:
      return oneOf(image, texts, inside, buffer, at, to);
    case ONE:
      return isMember(image, inside, buffer[at] as number) ? at + 1 : -1 - at;
    case OPTIONAL:
      return isMember(image, inside, buffer[at] as number) ? at + 1 : at;
    case ANY:
    case SOME: {
      let next = at;
      while (next < to && isMember(image, inside, buffer[next] as number)) next++;
      return next > at || does === ANY ? next : -1 - at;
    }
    default: {
      const firsts = image[step + 2] as number;
      let next = at;
      while (
        next < to &&
        !(isMember(image, firsts, buffer[next] as number) && oneOf(image, texts, inside, buffer, next, to) >= 0)
      )
        next++;
      return next;
    }
  }
}

/** The first text of the list that stands at `at` is taken. */
function oneOf(image: VocabularyImage, texts: Uint8Array, list: number, buffer: Buffer, at: number, to: number): number {
  let furthest = at;
  let text = list / WORD + 1;
  for (const last = text + 2 * (image[text - 1] as number); text < last; text += 2) {
    const begin = image[text] as number;
    const end = at + (image[text + 1] as number);
    let next = at;
    while (next < end && next < to && texts[begin + next - at] === buffer[next]) next++;
    if (next === end || next === to) return next;
    if (next > furthest) furthest = next;
  }
  return -1 - furthest;
}

export function stands(texts: Uint8Array, text: number, length: number, buffer: Buffer, at: number): boolean {
  let next = 0;
  while (next < length && texts[text + next] === buffer[at + next]) next++;
  return next === length;
}

function isMember(image: VocabularyImage, set: number, byte: number): boolean {
  return (((image[set / WORD + (byte >> 5)] as number) >>> (byte & 31)) & 1) === 1;
}
