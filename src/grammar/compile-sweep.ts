import type {Grammar} from 'ohm-js';
import {firstByteOf, spansOf} from './beginnings.ts';
import {type ByteSet, bytes, type Expr, fieldsOf, LF, messagesOf} from './expression.ts';
import {HEADROOM, kebabCase} from './matcher.ts';
import {CELL, FROM, HEAD, type SweepPlan, TO} from './sweep.ts';
import {Code, type Label, type Local, OP, wasmModule} from './wasm.ts';

/** What is asked of a sweep. */
export interface SweepRequest {
  /** In kebab-case. Where several match, the first in the grammar wins. */
  readonly messages: readonly string[];
  /** Fields whose value is wanted: digits, with a sign at most. No match may be without them. */
  readonly numbers: readonly string[];
  /** Fields whose place is wanted; it is -1 where a match is without them. */
  readonly texts: readonly string[];
}

/** Few enough bytes to stay in the processor's cache. */
const CHUNK = 65_536;
const BLANK = 0x20;
const MINUS = 0x2d;
const ZERO = 0x30;

/**
 * Compiles some messages of an Ohm grammar to WebAssembly that goes through many lines at once and leaves a record of each that is, as a
 * whole, one of them: what `match` of the compiled matcher finds, line by line.
 *
 * @throws GrammarRefusal, naming the rule, for what bytes cannot do as Ohm does it.
 */
export function compileSweep(grammar: Grammar, {messages: wanted, numbers, texts}: SweepRequest): SweepPlan {
  const messages = messagesOf(grammar).filter(({rule}) => wanted.includes(kebabCase(rule)));
  const cells = [...numbers, ...texts.flatMap((field) => [field, field])];
  const tables = new Tables();
  const matchers = messages.map(({rule, expr}, number) => {
    const missing = numbers.find((field) => !certainFields(expr).includes(field));
    if (missing !== undefined) throw new Error(`a match of ${rule} may be without "${missing}": ask for its place`);
    return new MessageCompiler(expr, number, {tables, cells, numbers, decimal: messages.length}).function();
  });
  const width = CELL * (HEAD + cells.length);
  const functions = [...matchers, decimal(), sweep(messages.length, width)];
  const least = Math.min(...messages.map(({expr}) => leastLength(expr)));
  const input = tables.bytes.length;
  const output = input + CHUNK + HEADROOM;
  // A match that fails late has begun a record.
  const room = width * (Math.ceil(CHUNK / (least + 1)) + 1);
  return {
    messages: messages.map(({rule}) => kebabCase(rule)),
    cells,
    least,
    chunk: CHUNK,
    input,
    output,
    wasm: wasmModule(functions, tables.bytes, output + room).toString('base64'),
  };
}

/** The fields that every match has. */
function certainFields(expr: Expr): string[] {
  switch (expr.is) {
    case 'seq':
      return expr.parts.flatMap(certainFields);
    case 'field':
      return [expr.name, ...certainFields(expr.body)];
    case 'choice': {
      const [first = [], ...others] = expr.of.map(certainFields);
      return first.filter((field) => others.every((fields) => fields.includes(field)));
    }
    default:
      return [];
  }
}

/** How many bytes a match has at least. */
function leastLength(expr: Expr): number {
  switch (expr.is) {
    case 'byte':
      return 1;
    case 'text':
      return expr.text.length;
    case 'seq':
      return expr.parts.reduce((sum, part) => sum + leastLength(part), 0);
    case 'choice':
      return Math.min(...expr.of.map(leastLength));
    case 'field':
      return leastLength(expr.body);
    default:
      return 0;
  }
}

/** Sets of bytes that no comparison tells: 256 bytes each, one table after the other. */
class Tables {
  bytes: number[] = [];
  private readonly places = new Map<string, number>();

  place(set: ByteSet): number {
    const members = spansOf(set).join(' ');
    const place = this.places.get(members) ?? this.bytes.length;
    if (place === this.bytes.length) this.bytes = [...this.bytes, ...set];
    this.places.set(members, place);
    return place;
  }
}

interface Surroundings {
  readonly tables: Tables;
  readonly cells: readonly string[];
  readonly numbers: readonly string[];
  /** The function that reads numbers. */
  readonly decimal: number;
}

/** Parameters of the function of a message: where in the line it is to begin, where its record is to be, and what is added to places. */
const AT: Local = 0;
const RECORD: Local = 1;
const SHIFT: Local = 2;

/** Writes the function that matches one message. It gives where the line ends; -1 where the line is another. */
class MessageCompiler {
  private readonly code = new Code(['i32', 'i32', 'i32'], 'i32');
  private readonly expr: Expr;
  private readonly number: number;
  private readonly surroundings: Surroundings;

  constructor(expr: Expr, number: number, surroundings: Surroundings) {
    this.expr = expr;
    this.number = number;
    this.surroundings = surroundings;
  }

  function(): Code {
    const {code, expr, surroundings} = this;
    const sure = certainFields(expr);
    const begin = code.local();
    const end = code.local();
    code.copy(AT, begin);
    this.forget(surroundings.cells.filter((field) => !sure.includes(field)));
    code.block((failed) => {
      this.match(expr, failed);
      code.copy(AT, end);
      // Blanks may follow.
      code.block((ended) => {
        code.loop((again) => {
          this.byte();
          code.number(LF);
          code.op(OP.equal);
          code.jumpIf(ended);
          this.byte();
          code.number(BLANK);
          code.op(OP.greater);
          code.jumpIf(failed);
          code.advance(AT, 1);
          code.jump(again);
        });
      });
      code.get(RECORD);
      code.float(this.number);
      code.storeFloat(0);
      this.storePlace(begin, FROM);
      this.storePlace(end, TO);
      code.get(AT);
      code.op(OP.return);
    });
    code.number(-1);
    return code;
  }

  /** Moves {@link AT} behind a match of `expr`, or jumps to `failed` and leaves it anywhere. */
  private match(expr: Expr, failed: Label): void {
    const {code} = this;
    switch (expr.is) {
      case 'byte':
        this.isOther(expr.set);
        code.jumpIf(failed);
        code.advance(AT, 1);
        return;
      case 'text':
        this.text(expr.text, failed);
        return;
      case 'end':
        this.byte();
        code.number(LF);
        code.op(OP.notEqual);
        code.jumpIf(failed);
        return;
      case 'seq':
        for (const part of expr.parts) this.match(part, failed);
        return;
      case 'choice':
        this.choice(expr.of, failed);
        return;
      case 'opt':
        code.block((matched) => this.attempt(expr.body, matched));
        return;
      case 'star':
        if (expr.body.is === 'byte') this.all(expr.body.set);
        else code.loop((again) => this.attempt(expr.body, again));
        return;
      case 'until':
        this.until(expr.stop);
        return;
      case 'not': {
        const before = this.here();
        code.block((isOther) => {
          this.match(expr.body, isOther);
          code.jump(failed);
        });
        code.copy(before, AT);
        return;
      }
      case 'lookahead': {
        const before = this.here();
        this.match(expr.body, failed);
        code.copy(before, AT);
        return;
      }
      case 'field': {
        const before = this.here();
        this.match(expr.body, failed);
        this.store(expr.name, before);
      }
    }
  }

  /** Moves on as long as bytes belong to `set`. */
  private all(set: ByteSet): void {
    const {code} = this;
    code.block((ended) => {
      code.loop((again) => {
        this.isOther(set);
        code.jumpIf(ended);
        code.advance(AT, 1);
        code.jump(again);
      });
    });
  }

  /** Jumps to `matched` behind a match; goes on where it began if there is none. */
  private attempt(expr: Expr, matched: Label): void {
    const {code} = this;
    const before = this.here();
    code.block((failed) => {
      this.match(expr, failed);
      code.jump(matched);
    });
    code.copy(before, AT);
    this.forget(fieldsOf(expr));
  }

  private choice(of: readonly Expr[], failed: Label): void {
    this.code.block((matched) => {
      for (const term of of) this.attempt(term, matched);
      this.code.jump(failed);
    });
  }

  /** Compares eight bytes at a time. Bytes behind the end of the line are readable (HEADROOM) and never equal: LF comes first. */
  private text(text: string, failed: Label): void {
    const {code} = this;
    const all = Buffer.from(text, 'latin1');
    for (let at = 0; at < all.length; ) {
      const left = all.length - at;
      code.get(AT);
      if (left >= 8) {
        code.load(8, at);
        code.number64(all.readBigInt64LE(at));
        code.op(OP.notEqual64);
        at += 8;
      } else {
        const width = left >= 4 ? 4 : left >= 2 ? 2 : 1;
        code.load(width, at);
        code.number(width === 4 ? all.readInt32LE(at) : all.readUIntLE(at, width));
        code.op(OP.notEqual);
        at += width;
      }
      code.jumpIf(failed);
    }
    code.advance(AT, all.length);
  }

  private until(stop: Expr | null): void {
    const {code} = this;
    if (stop === null || stop.is === 'byte') {
      this.all(bytes((byte) => stop?.set[byte] !== 1));
      return;
    }
    const first = firstByteOf(stop);
    code.block((stopped) => {
      code.loop((again) => {
        this.byte();
        code.number(LF);
        code.op(OP.equal);
        code.jumpIf(stopped);
        code.block((goesOn) => {
          if (first !== null) {
            this.isOther(first);
            code.jumpIf(goesOn);
          }
          const before = this.here();
          code.block((failed) => {
            this.match(stop, failed);
            code.copy(before, AT);
            code.jump(stopped);
          });
          code.copy(before, AT);
        });
        code.advance(AT, 1);
        code.jump(again);
      });
    });
  }

  /** Leaves something other than 0 on the stack where the next byte does not belong to `set`. */
  private isOther(set: ByteSet): void {
    const {code} = this;
    const spans = spansOf(set);
    const missing = [...set.keys()].filter((byte) => set[byte] === 0);
    const [[from, to] = [0, 0]] = spans;
    this.byte();
    if (spans.length === 1) {
      code.number(from);
      code.op(OP.subtract);
      code.number(to - from);
      code.op(OP.greater);
    } else if (missing.length <= 2) {
      for (const [n, byte] of missing.entries()) {
        if (n > 0) this.byte();
        code.number(byte);
        code.op(OP.equal, ...(n > 0 ? [OP.or] : []));
      }
    } else {
      code.load(1, this.surroundings.tables.place(set));
      code.op(OP.isZero);
    }
  }

  private byte(): void {
    this.code.get(AT);
    this.code.load(1, 0);
  }

  /** Where the match has come to, kept. */
  private here(): Local {
    const local = this.code.local();
    this.code.copy(AT, local);
    return local;
  }

  private forget(fields: readonly string[]): void {
    const {code, surroundings} = this;
    for (const field of fields) {
      const cell = surroundings.cells.indexOf(field);
      if (cell < 0) continue;
      code.get(RECORD);
      code.float(-1);
      code.storeFloat(CELL * (HEAD + cell));
    }
  }

  /** The field goes from `from` to where the match has come to. */
  private store(field: string, from: Local): void {
    const {code, surroundings} = this;
    const cell = HEAD + surroundings.cells.indexOf(field);
    if (cell < HEAD) return;
    if (!surroundings.numbers.includes(field)) {
      this.storePlace(from, cell);
      this.storePlace(AT, cell + 1);
      return;
    }
    code.get(RECORD);
    code.get(from);
    code.get(AT);
    code.call(surroundings.decimal);
    code.storeFloat(CELL * cell);
  }

  private storePlace(place: Local, cell: number): void {
    const {code} = this;
    code.get(RECORD);
    code.get(place);
    code.get(SHIFT);
    code.op(OP.add, OP.toFloat);
    code.storeFloat(CELL * cell);
  }
}

/** The value of the digits from `from` to `to`, which a sign may precede. */
function decimal(): Code {
  const code = new Code(['i32', 'i32'], 'f64');
  const [from, to] = [0, 1];
  const length = code.local();
  const value = code.local('f64');
  const isNegative = code.local();
  code.get(from);
  code.load(1, 0);
  code.number(MINUS);
  code.op(OP.equal);
  code.set(isNegative);
  code.get(from);
  code.get(isNegative);
  code.op(OP.add);
  code.set(from);
  code.get(to);
  code.get(from);
  code.op(OP.subtract);
  code.set(length);
  code.block((read) => {
    code.block((isLong) => {
      code.get(length);
      code.number(1);
      code.op(OP.subtract);
      code.number(7);
      code.op(OP.greater);
      code.jumpIf(isLong);
      // Up to eight digits at once: zeros come in front, then neighbours are added up, ones with tens, then pairs, then fours.
      code.get(from);
      code.load(8, 0);
      code.number(8);
      code.get(length);
      code.op(OP.subtract);
      code.number(8);
      code.op(OP.multiply, OP.widen, OP.shiftLeft64);
      for (const [mask, factor, shift] of NEIGHBOURS) {
        code.number64(mask);
        code.op(OP.and64);
        code.number64(factor);
        code.op(OP.multiply64);
        code.number64(shift);
        code.op(OP.shiftRight64);
      }
      code.op(OP.toFloat64);
      code.set(value);
      code.jump(read);
    });
    code.loop((again) => {
      code.get(from);
      code.get(to);
      code.op(OP.notLess);
      code.jumpIf(read);
      code.get(value);
      code.float(10);
      code.op(OP.multiplyFloat);
      code.get(from);
      code.load(1, 0);
      code.op(OP.toFloat, OP.addFloat);
      code.float(-ZERO);
      code.op(OP.addFloat);
      code.set(value);
      code.advance(from, 1);
      code.jump(again);
    });
  });
  code.block((isPositive) => {
    code.get(isNegative);
    code.op(OP.isZero);
    code.jumpIf(isPositive);
    code.get(value);
    code.op(OP.negateFloat, OP.return);
  });
  code.get(value);
  return code;
}

const NEIGHBOURS: readonly (readonly [mask: bigint, factor: bigint, shift: bigint])[] = [
  [0x0f0f0f0f0f0f0f0fn, 0x0a01n, 8n],
  [0x00ff00ff00ff00ffn, 0x00640001n, 16n],
  [0x0000ffff0000ffffn, 0x271000000001n, 32n],
];

/** Goes through the lines from `at` to `end`, in each from its byte `skip` on, and gives where the records end that begin at `record`. */
function sweep(messages: number, width: number): Code {
  const code = new Code(['i32', 'i32', 'i32', 'i32', 'i32'], 'i32');
  const [at, end, record, shift, skip] = [0, 1, 2, 3, 4];
  const from = code.local();
  const before = code.local();
  const lineEnd = code.local();
  code.block((done) => {
    code.loop((nextLine) => {
      code.get(at);
      code.get(end);
      code.op(OP.notLess);
      code.jumpIf(done);
      code.get(at);
      code.get(skip);
      code.op(OP.add);
      code.set(from);
      code.block((isShort) => {
        code.copy(at, before);
        code.block((skipped) => {
          code.loop((again) => {
            code.get(before);
            code.get(from);
            code.op(OP.notLess);
            code.jumpIf(skipped);
            code.get(before);
            code.load(1, 0);
            code.number(LF);
            code.op(OP.equal);
            code.jumpIf(isShort);
            code.advance(before, 1);
            code.jump(again);
          });
        });
        for (let number = 0; number < messages; number++) {
          code.block((isOther) => {
            code.get(from);
            code.get(record);
            code.get(shift);
            code.call(number);
            code.set(lineEnd);
            code.get(lineEnd);
            code.number(0);
            code.op(OP.lessSigned);
            code.jumpIf(isOther);
            code.advance(record, width);
            code.copy(lineEnd, at);
            code.advance(at, 1);
            code.jump(nextLine);
          });
        }
      });
      code.loop((again) => {
        code.get(at);
        code.load(1, 0);
        code.set(from);
        code.advance(at, 1);
        code.get(from);
        code.number(LF);
        code.op(OP.notEqual);
        code.jumpIf(again);
      });
      code.jump(nextLine);
    });
  });
  code.get(record);
  return code;
}
