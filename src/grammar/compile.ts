import type {Grammar} from 'ohm-js';
import {type Beginning, beginningsOf, isFindable, type Span, spansOf} from './beginnings.ts';
import {type ByteSet, bytes, type Expr, fieldsOf, LF, type Message, messagesOf} from './expression.ts';
import {kebabCase, type Matcher} from './matcher.ts';
import {type Needs, needsOf} from './needs.ts';
import {Repeated} from './repeated.ts';
import {signsOf} from './signs.ts';

/**
 * Compiles the messages of an Ohm grammar, or only some of them, into the source of a JavaScript module whose default export
 * is a `Matcher`: recursive descent over bytes with the meaning of a PEG (ordered choice, possessive
 * repetition), captures as offsets, and a choice among the messages by their first bytes.
 *
 * @throws GrammarRefusal, naming the rule, for what bytes cannot do as Ohm does it.
 */
export function compileGrammar(grammar: Grammar, isWanted: (message: string) => boolean = () => true): string {
  const messages = messagesOf(grammar).filter(({rule}) => isWanted(kebabCase(rule)));
  return new Compiler(grammar.name, messages).module();
}

/** The same while the program runs. It takes milliseconds, and the matcher is as fast as one of the build. */
export function compileNow(grammar: Grammar, isWanted?: (message: string) => boolean): Matcher {
  const module = compileGrammar(grammar, isWanted).replace('export default matcher;', '');
  return new Function(`${module}return matcher;`)() as Matcher;
}

/** How many bytes of a line are asked for what they hold: who asks again and again about a very long one would never end. */
const LONGEST_LOOK = 1000;

/** One way in which a message can begin; several per message where its text has alternatives at the front. */
interface Entrance {
  readonly message: number;
  readonly sets: readonly ByteSet[];
}

class Compiler {
  private readonly grammarName: string;
  private readonly messages: readonly Message[];
  private readonly fields: string[];
  private readonly repeated: Repeated;
  private readonly needs: Needs;
  /** Functions for what is repeated, by its number: from the offset where it begins to where it ends, or -1. */
  private readonly shared = new Map<number, string>();
  private readonly tables = new Map<string, string>();
  private readonly choices = new Map<string, string>();
  private readonly switches: string[] = [];
  private labels = 0;

  constructor(grammarName: string, messages: readonly Message[]) {
    this.grammarName = grammarName;
    this.messages = messages;
    this.fields = [...new Set(messages.flatMap(({fields}) => fields))];
    this.repeated = new Repeated(messages.map(({expr}) => expr));
    this.needs = needsOf(messages.map(({expr}) => expr));
  }

  module(): string {
    const {messages, fields} = this;
    const functions = messages.map((message, number) => this.message(message, number));
    const entrances = messages.flatMap(({expr}, message) => beginningsOf(expr).map(({sets}): Entrance => ({message, sets})));
    const findable = entrances.filter(({message}) => isFindable((messages[message] as Message).expr));
    const anywhere = this.dispatch(entrances, 0);
    const inside = this.dispatch(findable, 0);
    const tables = [...this.tables].map(([members, name]) => `const ${name} = table(${members});`);
    const choices = [...this.choices].map(([members, name]) => choice(name, members.split(',').map(Number)));
    const signs = signsOf(messages.map(({expr}) => expr));
    const code = `
let buffer = new Uint8Array(0), view = new DataView(buffer.buffer), E = -1;
// The marks that the line is without, as far as was looked.
let lacks = 0;
const marks = new Int32Array(256);
for (const [byte, bits] of ${JSON.stringify([...this.needs.marks])}) marks[byte] = bits;
function lackedBy(i) {
  let held = 0;
  for (let last = i + ${LONGEST_LOOK}, c = buffer[i]; c !== ${LF}; c = buffer[++i]) {
    if (i === last) return 0;
    held |= marks[c];
  }
  return ~held;
}
function table(...spans) {
  const t = new Uint8Array(256);
  for (let i = 0; i < spans.length; i += 2) t.fill(1, spans[i], spans[i + 1] + 1);
  return t;
}
// Whether a match that ends at e counts: only blanks may stand between it and the end of the line if it is to be whole.
function taken(e, whole) {
  if (e < 0) return false;
  if (whole) {
    let i = e, c = buffer[i];
    while (c <= 32 && c !== ${LF}) c = buffer[++i];
    if (c !== ${LF}) return false;
  }
  E = e;
  return true;
}
${tables.join('\n')}
${functions.join('\n')}
${[...this.shared.values()].join('\n')}
${choices.join('\n')}
${this.switches.join('\n')}
// The first two bytes of every message that is looked for inside a line.
const isPair = new Uint8Array(65536);
for (const pair of ${JSON.stringify(pairs(findable))}) isPair[pair] = 1;
function inside(i) { const whole = false; ${inside} }
return {
  bind(bytes) {
    buffer = bytes;
    view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  },
  match(i) { const whole = true; lacks = 0; ${anywhere} },
  prefix(i) { const whole = false; lacks = lackedBy(i); ${anywhere} },
  inside(i) { lacks = 0; return inside(i); },
  find(i, last = buffer.length) {
    const B = buffer;
    lacks = 0;
    for (let c = B[i]; i <= last && c !== ${LF}; i++) {
      const next = B[i + 1];
      if (isPair[(c << 8) | next] === 1 && inside(i) >= 0) return i;
      c = next;
    }
    return -1;
  },
  end() { return E; },
};`;
    return `// Compiled from grammar ${this.grammarName}. Do not edit: change the grammar.
const captures = new Int32Array(${2 * fields.length}).fill(-1);
let bound = null;
// Most runs need few of the grammars.
function made() {
  Object.assign(matcher, make());
  if (bound !== null) matcher.bind(bound);
  return matcher;
}
const matcher = {
  grammar: ${JSON.stringify(this.grammarName)},
  messages: ${JSON.stringify(messages.map(({rule}) => kebabCase(rule)))},
  fields: ${JSON.stringify(fields)},
  fieldsOf: ${JSON.stringify(messages.map((message) => message.fields.map((field) => fields.indexOf(field))))},
  // Made into a table by the build for those who read all formats.
  get signs() { return ${JSON.stringify(signs)}; },
  captures,
  bind(bytes) { bound = bytes; },
  match(i) { return made().match(i); },
  prefix(i) { return made().prefix(i); },
  inside(i) { return made().inside(i); },
  find(i, last) { return made().find(i, last); },
  end() { return -1; },
};
export default matcher;
function make() {
${code}
}
`;
  }

  /** A function from the offset where the message begins to the offset where it ends, or -1. */
  private message({rule, expr}: Message, number: number): string {
    const code = this.code(expr, 'return -1;');
    const needs = this.needs.ofMessages[number];
    const test = needs === 0 ? '' : `if ((lacks & ${needs}) !== 0) return -1;\n`;
    return `// ${rule}\nfunction m${number}(i) {\n${test}const B = buffer, V = view, C = captures;\n${this.forget(optionalFields(expr))}${code}return i;\n}`;
  }

  /** Code that advances `i` over a match of `expr`, or executes `fail` (leaving `i` anywhere). */
  private code(expr: Expr, fail: string): string {
    const number = this.repeated.find(expr);
    if (number === null) return this.ownCode(expr, fail);
    if (!this.shared.has(number)) {
      this.shared.set(number, '');
      const body = `const B = buffer, V = view, C = captures;\n${this.ownCode(expr, 'return -1;')}return i;`;
      this.shared.set(number, `function r${number}(i) {\n${body}\n}`);
    }
    return `if ((i = r${number}(i)) < 0) ${fail}\n`;
  }

  private ownCode(expr: Expr, fail: string): string {
    switch (expr.is) {
      case 'byte':
        return `if (!(${this.test(expr.set, 'B[i]')})) ${fail}\ni++;\n`;
      case 'text':
        return literal(expr.text, fail);
      case 'end':
        return `if (B[i] !== ${LF}) ${fail}\n`;
      case 'seq':
        return expr.parts.map((part) => this.code(part, fail)).join('');
      case 'choice':
        return this.choiceCode(expr.of, fail);
      case 'opt': {
        const [out, next, save] = this.fresh('O', 'N', 's');
        const inner = this.code(expr.body, `break ${next};`);
        return `${out}: { const ${save} = i; ${next}: { ${inner}break ${out}; }\ni = ${save};\n${this.forget(fieldsOf(expr.body))}}\n`;
      }
      case 'star': {
        if (expr.body.is === 'byte') return `while (${this.test(expr.body.set, 'B[i]')}) i++;\n`;
        const [loop, next, save] = this.fresh('L', 'N', 's');
        const inner = this.code(expr.body, `break ${next};`);
        return `${loop}: for (;;) { const ${save} = i; ${next}: { ${inner}continue ${loop}; }\ni = ${save}; break; }\n`;
      }
      case 'until':
        return this.untilCode(expr.stop);
      case 'not': {
        const [out, save] = this.fresh('N', 's');
        return `{ const ${save} = i; ${out}: { ${this.code(expr.body, `break ${out};`)}${fail} }\ni = ${save}; }\n`;
      }
      case 'lookahead': {
        const [save] = this.fresh('s');
        return `{ const ${save} = i;\n${this.code(expr.body, fail)}i = ${save}; }\n`;
      }
      case 'field': {
        const [save] = this.fresh('s');
        const slot = 2 * this.fields.indexOf(expr.name);
        return `{ const ${save} = i;\n${this.code(expr.body, fail)}C[${slot}] = ${save}; C[${slot + 1}] = i; }\n`;
      }
    }
  }

  private choiceCode(of: readonly Expr[], fail: string): string {
    const words = of.map((term) => (term.is === 'text' ? term.text : ''));
    const length = words[0]?.length ?? 0;
    if (length >= 2 && length <= 4 && words.every((word) => word.length === length)) return oneOf(words, length, fail);
    const [out, save] = this.fresh('A', 's');
    const terms = of.map((term) => {
      const [next] = this.fresh('N');
      const inner = this.code(term, `break ${next};`);
      return `${next}: { ${inner}break ${out}; }\ni = ${save};\n${this.forget(fieldsOf(term))}`;
    });
    return `${out}: { const ${save} = i;\n${terms.join('')}${fail} }\n`;
  }

  private untilCode(stop: Expr | null): string {
    if (stop === null) return `while (B[i] !== ${LF}) i++;\n`;
    if (stop.is === 'byte')
      return `while (${this.test(
        bytes((byte) => stop.set[byte] === 0),
        'B[i]',
      )}) i++;\n`;
    const [loop, next, save] = this.fresh('L', 'N', 's');
    const first = firstBytes(beginningsOf(stop));
    const attempt = `const ${save} = i; ${next}: { ${this.code(stop, `break ${next};`)}i = ${save}; break ${loop}; }\ni = ${save};`;
    const guarded = first === null ? attempt : `if (${this.test(first, 'B[i]')}) { ${attempt} }`;
    return `${loop}: while (B[i] !== ${LF}) { ${guarded}\ni++; }\n`;
  }

  /** An expression that is true where the byte `of` belongs to `set`. */
  private test(set: ByteSet, of: string): string {
    const spans = spansOf(set);
    const missing = spansOf(bytes((byte) => set[byte] === 0)).flat();
    if (spans.length === 1) return spanTest(spans[0] as Span, of);
    if (missing.length === 2 && missing[0] === missing[1]) return `${of} !== ${missing[0]} && ${of} !== ${LF}`;
    if (missing.length === 0) return `${of} !== ${LF}`;
    const members = spans.flat().join(', ');
    const name = this.tables.get(members) ?? `T${this.tables.size}`;
    this.tables.set(members, name);
    return `${name}[${of}] === 1`;
  }

  private forget(fields: readonly string[]): string {
    return fields.map((field) => `C[${2 * this.fields.indexOf(field)}] = -1;\n`).join('');
  }

  private fresh<T extends string[]>(...prefixes: T): {[K in keyof T]: string} {
    this.labels++;
    return prefixes.map((prefix) => `${prefix}${this.labels}`) as {[K in keyof T]: string};
  }

  /**
   * Code that returns the first message, in order of declaration, among those that can begin as the line does.
   * Each choice is a function of its own: small ones stay optimised when one of them meets a surprise.
   */
  private dispatch(entrances: readonly Entrance[], depth: number): string {
    const messages = [...new Set(entrances.map(({message}) => message))].sort((a, b) => a - b);
    if (messages.length === 0) return 'return -1;';
    // Looking at one more byte pays only where it can tell messages apart.
    const told = new Set(entrances.filter(({sets}) => sets.length > depth).map(({message}) => message));
    if (messages.length === 1 || told.size <= 1) return `return ${this.candidates(messages)}(i, whole);`;
    const groups = new Map<string, {readonly bytes: number[]; readonly entrances: Entrance[]}>();
    for (let byte = 0; byte < 256; byte++) {
      const here = entrances.filter(({sets}) => sets[depth] === undefined || sets[depth][byte] === 1);
      const key = here.map((entrance) => entrances.indexOf(entrance)).join(',');
      const group = groups.get(key);
      if (group === undefined) groups.set(key, {bytes: [byte], entrances: here});
      else group.bytes.push(byte);
    }
    // Bytes on which all agree need no test here: the message's own code looks at every byte.
    if ([...groups.values()].every((group) => group.entrances.length % entrances.length === 0)) {
      return this.dispatch(entrances, depth + 1);
    }
    const smallestFirst = [...groups.values()].sort((a, b) => a.bytes.length - b.bytes.length);
    const rest = smallestFirst.pop();
    const cases = smallestFirst.map(
      (group) => `  ${group.bytes.map((byte) => `case ${byte}:`).join(' ')} ${this.dispatch(group.entrances, depth + 1)}\n`,
    );
    const otherwise = this.dispatch(rest?.entrances ?? [], depth + 1);
    const name = `d${this.switches.length}`;
    this.switches.push(
      `function ${name}(i, whole) {\n  switch (buffer[${offset(depth)}]) {\n${cases.join('')}  default: ${otherwise}\n  }\n}`,
    );
    return `return ${name}(i, whole);`;
  }

  private candidates(messages: readonly number[]): string {
    const key = messages.join(',');
    const name = this.choices.get(key) ?? `t${this.choices.size}`;
    this.choices.set(key, name);
    return name;
  }
}

function choice(name: string, messages: readonly number[]): string {
  const tries = messages.map((message) => `  if (taken(m${message}(i), whole)) return ${message};\n`);
  return `function ${name}(i, whole) {\n${tries.join('')}  return -1;\n}`;
}

/** Fields that a match may leave out, so that what an earlier match captured has to be forgotten first. */
function optionalFields(expr: Expr): string[] {
  if (expr.is === 'seq') return expr.parts.flatMap(optionalFields);
  if (expr.is === 'field') return optionalFields(expr.body);
  return fieldsOf(expr);
}

/** The bytes that any of these can begin with; null where one of them may begin with anything or be empty. */
function firstBytes(beginnings: readonly Beginning[]): ByteSet | null {
  const firsts = beginnings.map(({sets}) => sets[0]);
  return firsts.some((set) => set === undefined) ? null : bytes((byte) => firsts.some((set) => set?.[byte] === 1));
}

/** The first two bytes of every message that is looked for inside a line, as one number each. */
function pairs(entrances: readonly Entrance[]): number[] {
  const all = new Set<number>();
  for (const {sets} of entrances) {
    for (const first of membersOf(sets[0] as ByteSet)) {
      for (const second of membersOf(sets[1] as ByteSet)) all.add((first << 8) | second);
    }
  }
  return [...all].sort((a, b) => a - b);
}

function membersOf(set: ByteSet): number[] {
  return [...set.keys()].filter((byte) => set[byte] === 1);
}

function spanTest([from, to]: Span, of: string): string {
  return from === to ? `${of} === ${from}` : `((${of} - ${from}) >>> 0) <= ${to - from}`;
}

/** Compares four bytes at a time. Bytes behind the end of the line are readable (HEADROOM) and never equal: LF comes first. */
function literal(text: string, fail: string): string {
  const tests: string[] = [];
  let at = 0;
  for (; text.length - at >= 4; at += 4) tests.push(`V.getInt32(${offset(at)}) !== ${int32(text.slice(at))}`);
  for (; at < text.length; at++) tests.push(`B[${offset(at)}] !== ${text.charCodeAt(at)}`);
  return `if (${tests.join(' || ')}) ${fail}\ni += ${text.length};\n`;
}

/** `"Jan" | "Feb" | …`: words of one length of two to four bytes, told by one comparison each. */
function oneOf(words: readonly string[], length: number, fail: string): string {
  const shift = 8 * (4 - length);
  const cases = words.map((word) => `case ${int32(word.padEnd(4, '\0')) >> shift}:`).join(' ');
  return `switch (V.getInt32(i) >> ${shift}) { ${cases} break; default: ${fail} }\ni += ${length};\n`;
}

function offset(at: number): string {
  return at === 0 ? 'i' : `i + ${at}`;
}

function int32(text: string): number {
  return Buffer.from(text.slice(0, 4), 'latin1').readInt32BE(0);
}
