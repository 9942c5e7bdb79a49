import {beginningsOf, firstByteOf, spansOf} from './beginnings.ts';
import {type ByteSet, bytes, type Expr} from './expression.ts';
import {BETWEEN, type Sign, type Step} from './matcher.ts';
import {KEY} from './vocabulary-image.ts';

/** Letters by how common they are in logs; everything else is rarer. */
const COMMON = ' etaoinsrldhcu0mpf1g:w-./2yb,_';
const RARITY = Uint8Array.from({length: 256}, (_, byte) => {
  const place = COMMON.indexOf(String.fromCharCode(byte));
  return place < 0 ? COMMON.length + 10 : place;
});

/** What applications write all the time as well: words to be found by only where a message has no other. */
const EVERYDAY =
  ' TRACE: DEBUG: INFO: NOTICE: WARNING: ERROR: CRITICAL: FATAL: TRACE DEBUG INFO NOTICE WARNING ERROR CRITICAL FATAL Error: Exception invalid unable failed cannot ' +
  'worker process thread request response reload restart started starting stopped server socket connection ' +
  'timeout signal python module import load file line call back trace log level with from this that have been ' +
  'for the and not was using found code user path config message received queue task execute lib/ ';

/** Texts shorter than this say nothing. */
const LEAST = 2;
/** More texts than this for one message are too many. */
const MOST = 200;
/** Bytes out of words of everybody cost as much as so many texts that are looked up by the same. */
const COST_OF_EVERYDAY = 20;
/** So much behind a text is hardly ever there by chance. */
const MOST_STEPS = 10;

/** What is told behind a text, and whether that is all of the expression. */
interface Following {
  readonly steps: readonly Step[];
  readonly isWhole: boolean;
}

interface Found extends Following {
  readonly text: string;
}

/**
 * Signs of several messages: for each way in which a line can be one of them, one that every such line has. Null where a message has none.
 */
export function signsOf(messages: readonly Expr[]): Sign[] | null {
  const found = ofEach(messages, (message) => ofEach(foundIn(message) ?? [], prolonged))?.map(({text, steps}) => ({
    text,
    steps: steps.slice(0, MOST_STEPS),
  }));
  if (found === undefined) return null;
  const taken = new Map<string, number>();
  const different = new Map(found.map((sign) => [JSON.stringify(sign), sign])).values();
  return [...different].map(({text, steps}) => [text, keyIn(text, taken), ...steps]);
}

/** A sign whose text is shorter than what it is looked up by, as signs with each byte that may come next. Null where nearly any may. */
function prolonged(sign: Found): Found[] | null {
  if (sign.text.length >= KEY) return [sign];
  const next = nextOf(sign.steps);
  if (next === null || next.length > MOST) return null;
  return ofEach(next, ({byte, steps}) => prolonged({...sign, text: sign.text + byte, steps}));
}

interface Next {
  readonly byte: string;
  readonly steps: readonly Step[];
}

/** The bytes that steps may begin with, and the steps behind each. Null where that may be any. */
function nextOf([step, ...rest]: readonly Step[]): Next[] | null {
  if (step === undefined || step[0] === '>' || step[0] === '~') return null;
  const inside = step.slice(1);
  if (step[0] === '=') {
    return ofEach(inside.split(BETWEEN), (text) =>
      text === '' ? nextOf(rest) : [{byte: text.slice(0, 1), steps: [`=${text.slice(1)}` as const, ...rest]}],
    );
  }
  const again: Step[] = step[0] === '*' || step[0] === '+' ? [`*${inside}`] : [];
  const taken = bytesOf(inside).map((byte) => ({byte, steps: [...again, ...rest]}));
  if (step[0] === '1' || step[0] === '+') return taken;
  const behind = nextOf(rest);
  return behind === null ? null : [...taken, ...behind];
}

/** The bytes of a set that {@link membersOf} has written. */
function bytesOf(members: string): string[] {
  const spans = members.match(/[\s\S]{2}/g) ?? [];
  return spans.flatMap((span) => {
    const first = span.charCodeAt(0);
    return Array.from({length: span.charCodeAt(1) - first + 1}, (_, n) => String.fromCharCode(first + n));
  });
}

/** Where in a text the bytes begin that are rarest in logs, and that few others are looked up by. `taken`: how many are, by their bytes. */
function keyIn(text: string, taken: Map<string, number>): number {
  const costOf = (key: string) => (taken.get(key) ?? 0) + (EVERYDAY.includes(key) ? COST_OF_EVERYDAY : 0) - rarity(key) / 2;
  let best = 0;
  for (let at = 1; at <= text.length - KEY; at++) {
    if (costOf(text.slice(at, at + KEY)) < costOf(text.slice(best, best + KEY))) best = at;
  }
  const key = text.slice(best, best + KEY);
  taken.set(key, (taken.get(key) ?? 0) + 1);
  return best;
}

function foundIn(expr: Expr): Found[] | null {
  const parts = partsOf(expr);
  const found: Found[][] = [];
  /** What may stand directly in front of the next part. */
  let run = [''];
  const endAt = (next: number) => {
    if (run.every((text) => text.length >= LEAST)) {
      const following = followingOf(parts.slice(next));
      found.push(run.map((text) => ({text, ...following})));
    }
    run = [''];
  };
  for (const [n, part] of parts.entries()) {
    if (part.is === 'not') continue;
    if (part.is === 'lookahead') {
      const inside = foundIn(part.body);
      if (inside !== null) found.push(inside.map((sign) => ({...sign, isWhole: false})));
      continue;
    }
    const fixed = fixedTexts(part);
    if (fixed !== null) {
      if (run.length * fixed.length > MOST) endAt(n);
      run = run.flatMap((before) => fixed.map((text) => before + text));
      continue;
    }
    endAt(n);
    const inside = part.is === 'choice' ? ofEach(part.of, foundIn) : null;
    if (inside !== null) found.push(inside.map((sign) => joined(sign, followingOf(parts.slice(n + 1)))));
  }
  endAt(parts.length);
  return found.sort((a, b) => rarityOf(b) - rarityOf(a))[0] ?? null;
}

function joined(sign: Found, {steps, isWhole}: Following): Found {
  return sign.isWhole ? {...sign, steps: [...sign.steps, ...steps], isWhole} : sign;
}

/** What every match of `parts`, one behind the other, consists of, as far as steps can tell. */
function followingOf(parts: readonly Expr[]): Following {
  const steps: Step[] = [];
  for (const [n, part] of parts.entries()) {
    // They consume nothing: without them more may follow, and never less.
    if (part.is === 'not' || part.is === 'lookahead' || part.is === 'end') continue;
    const step = stepOf(part);
    if (step === null) return {steps: [...steps, ...beginningOf(parts.slice(n))], isWhole: false};
    const before = steps.at(-1)?.slice(1);
    // One and any more of them: `digit+`.
    if (step[0] === '*' && steps.at(-1)?.[0] === '1' && before === step.slice(1)) steps[steps.length - 1] = `+${before}`;
    else steps.push(step);
  }
  return {steps, isWhole: true};
}

/** The step that takes just what `part` takes, or null. */
function stepOf(part: Expr): Step | null {
  if (part.is === 'byte') return `1${membersOf(part.set)}`;
  const body = part.is === 'opt' || part.is === 'star' ? part.body : null;
  if (body?.is === 'byte') return `${part.is === 'opt' ? '?' : '*'}${membersOf(body.set)}`;
  if (part.is === 'until') {
    if (part.stop?.is === 'byte') {
      const {set} = part.stop;
      return `*${membersOf(bytes((byte) => set[byte] === 0))}`;
    }
    const stops = part.stop === null ? null : fixedTexts(part.stop);
    return stops === null ? null : `>${stops.join(BETWEEN)}`;
  }
  const texts = fixedTexts(part.is === 'opt' ? part.body : part);
  return texts === null ? null : `=${[...texts, ...(part.is === 'opt' ? [''] : [])].join(BETWEEN)}`;
}

/** A step for what every match of `parts`, one behind the other, begins with, if that can be told. */
function beginningOf(parts: readonly Expr[]): Step[] {
  const [part] = parts;
  if (part?.is === 'until' && part.stop !== null) {
    if (!parts.slice(1).some(needsByte)) return [];
    // Where it stops stands all of this; and it may have stood before that, too.
    const [stops] = partsOf(part.stop)
      .flatMap((each) => [fixedTexts(each) ?? []])
      .sort((a, b) => shortest(b) - shortest(a));
    return stops === undefined || stops.length === 0 ? [] : [`~${stops.join(BETWEEN)}`];
  }
  const texts = [...new Set(beginningsOf({is: 'seq', parts}).map(({sets}) => textOf(sets)))];
  if (texts.every((text) => text !== '')) return [`=${texts.join(BETWEEN)}`];
  const first = firstByteOf({is: 'seq', parts});
  return first === null ? [] : [`1${membersOf(first)}`];
}

function needsByte(expr: Expr): boolean {
  if (expr.is === 'seq') return expr.parts.some(needsByte);
  if (expr.is === 'choice') return expr.of.every(needsByte);
  return expr.is === 'text' || expr.is === 'byte' || (expr.is === 'field' && needsByte(expr.body));
}

/** The length of the shortest of several texts. */
function shortest(texts: readonly string[]): number {
  return texts.length === 0 ? 0 : Math.min(...texts.map(({length}) => length));
}

/** The text that sets of a single byte each, as far as they go, are. */
function textOf(sets: readonly ByteSet[]): string {
  const end = sets.findIndex((set) => membersOf(set).length !== 2 || membersOf(set)[0] !== membersOf(set)[1]);
  return sets
    .slice(0, end < 0 ? sets.length : end)
    .map((set) => membersOf(set)[0])
    .join('');
}

/** The first and the last byte of each run in a set. */
function membersOf(set: ByteSet): string {
  return spansOf(set)
    .flatMap((span) => span.map((byte) => String.fromCharCode(byte)))
    .join('');
}

function partsOf(expr: Expr): Expr[] {
  if (expr.is === 'seq') return expr.parts.flatMap(partsOf);
  return expr.is === 'field' ? partsOf(expr.body) : [expr];
}

/** All that `expr` can match, if that is a few texts. */
function fixedTexts(expr: Expr): string[] | null {
  if (expr.is === 'text') return [expr.text];
  if (expr.is === 'field') return fixedTexts(expr.body);
  if (expr.is === 'choice') return ofEach(expr.of, fixedTexts);
  if (expr.is === 'seq') {
    const parts = expr.parts.map(fixedTexts);
    const isFixed = parts.every((texts) => texts !== null) && parts.reduce((count, {length}) => count * length, 1) <= MOST;
    return isFixed ? parts.reduce((all, texts) => all.flatMap((before) => texts.map((text) => before + text)), ['']) : null;
  }
  const first = expr.is === 'byte' ? expr.set.indexOf(1) : -1;
  return expr.is === 'byte' && first === expr.set.lastIndexOf(1) && first >= 0 ? [String.fromCharCode(first)] : null;
}

function ofEach<S, T>(alternatives: readonly S[], inside: (alternative: S) => readonly T[] | null): T[] | null {
  const each = alternatives.map(inside);
  return each.length > 0 && each.every((some) => some !== null) ? each.flat() : null;
}

/** Of several texts the most common one counts, and the more there are, the more likely a line has one. */
function rarityOf(signs: readonly Found[]): number {
  const rarest = Math.min(...signs.map(({text}) => (text.length < KEY ? -1 : rarity(text))));
  return rarest - 4 * Math.log2(signs.length);
}

function isEveryday(text: string): boolean {
  return EVERYDAY.includes(text);
}

function rarity(text: string): number {
  if (isEveryday(text)) return 0;
  // A number or one more letter behind such words makes them little rarer.
  const counted = isEveryday(text.slice(0, -1)) ? text.slice(-1) : text;
  return [...counted].reduce((sum, letter) => sum + (RARITY[letter.charCodeAt(0)] as number), 0);
}
