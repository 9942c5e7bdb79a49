import type {Grammar} from 'ohm-js';
import {firstByteOf, type Span, spansOf} from './beginnings.ts';
import {type ByteSet, bytes, type Expr, fieldsOf, LF, messagesOf} from './expression.ts';
import {HEADROOM, kebabCase} from './matcher.ts';
import {CELL, FROM, HEAD, IS_ALIKE, type SweepPlan, TO, WORD} from './sweep.ts';
import {
  add,
  addFloats,
  andLongs,
  bitsOf,
  Code,
  call,
  differ,
  equal,
  float,
  get,
  greater,
  int,
  isZero,
  LANE_COUNT,
  type Label,
  type Local,
  lanesEqual,
  lanesNotGreater,
  lanesOr,
  lanesSubtract,
  lessSigned,
  load,
  loadFloat,
  loadLanes,
  long,
  longsDiffer,
  longToFloat,
  multiply,
  multiplyFloats,
  multiplyLongs,
  negativeFloat,
  notLess,
  or,
  shiftLeft,
  shiftRight,
  subtract,
  toFloat,
  toInt,
  toLong,
  trailingZeros,
  type Value,
  wasmModule,
} from './wasm.ts';

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
  const cells = [...numbers, ...texts.flatMap((field) => [field, field, field])];
  const tables = new Tables();
  const matchers = messages.map(({rule, expr}, number) => {
    const missing = numbers.find((field) => !certainFields(expr).includes(field));
    if (missing !== undefined) throw new Error(`a match of ${rule} may be without "${missing}": ask for its place`);
    return new MessageCompiler(expr, number, {
      tables,
      cells,
      numbers,
      decimal: messages.length,
      same: messages.length + 1,
    }).function();
  });
  const width = CELL * (HEAD + cells.length);
  const functions = [...matchers, decimal(), same(), sweep(messages.length, messages.length + 1, width, tables)];
  const least = Math.min(...messages.map(({expr}) => leastLength(expr)));
  const input = tables.bytes.length;
  // In front of the first record there is none: what its texts are compared with.
  const output = input + WORD + CHUNK + HEADROOM + width;
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

/** What the code reads from its memory: sets of bytes that no comparison tells, 256 bytes each, and what lanes are compared with. */
class Tables {
  bytes: number[] = [];
  private readonly places = new Map<string, number>();

  place(set: ByteSet): number {
    return this.placeOf([...set]);
  }

  /** The same byte in each lane. As a constant in the code it would be put together anew wherever it is needed. */
  lanes(byte: number): Value {
    return loadLanes(int(0), this.placeOf(new Array<number>(LANE_COUNT).fill(byte)));
  }

  private placeOf(content: readonly number[]): number {
    const key = content.join(' ');
    const place = this.places.get(key) ?? this.bytes.length;
    if (place === this.bytes.length) this.bytes = [...this.bytes, ...content];
    this.places.set(key, place);
    return place;
  }
}

interface Surroundings {
  readonly tables: Tables;
  readonly cells: readonly string[];
  readonly numbers: readonly string[];
  /** The function that reads numbers. */
  readonly decimal: number;
  /** The function that compares texts. */
  readonly same: number;
}

/** Parameters of the function of a message: where in the line it is to begin, where its record is to be, and what is added to places. */
const AT: Local = 0;
const RECORD: Local = 1;
const SHIFT: Local = 2;
/** The next byte. */
const BYTE = load(1, get(AT));

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
    const begin = this.here();
    const end = code.local();
    this.forget(surroundings.cells.filter((field) => !sure.includes(field)));
    code.block((failed) => {
      this.match(expr, failed);
      code.set(end, get(AT));
      // Blanks may follow.
      code.forever((ended) => {
        code.jumpIf(equal(BYTE, int(LF)), ended);
        code.jumpIf(greater(BYTE, int(BLANK)), failed);
        this.advance(1);
      });
      this.store(0, float(this.number));
      this.store(FROM, this.place(begin));
      this.store(TO, this.place(end));
      code.return(get(AT));
    });
    code.return(int(-1));
    return code;
  }

  /** Moves {@link AT} behind a match of `expr`, or jumps to `failed` and leaves it anywhere. */
  private match(expr: Expr, failed: Label): void {
    const {code} = this;
    switch (expr.is) {
      case 'byte':
        code.jumpIf(this.isOther(expr.set), failed);
        this.advance(1);
        return;
      case 'text':
        this.text(expr.text, failed);
        return;
      case 'end':
        code.jumpIf(differ(BYTE, int(LF)), failed);
        return;
      case 'seq':
        for (const part of expr.parts) this.match(part, failed);
        return;
      case 'choice':
        code.block((matched) => {
          for (const term of expr.of) this.attempt(term, matched);
          code.jump(failed);
        });
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
        code.set(AT, get(before));
        return;
      }
      case 'lookahead': {
        const before = this.here();
        this.match(expr.body, failed);
        code.set(AT, get(before));
        return;
      }
      case 'field': {
        const before = this.here();
        this.match(expr.body, failed);
        this.capture(expr.name, before);
      }
    }
  }

  /** Jumps to `matched` behind a match; goes on where it began if there is none. */
  private attempt(expr: Expr, matched: Label): void {
    const {code} = this;
    const before = this.here();
    code.block((failed) => {
      this.match(expr, failed);
      code.jump(matched);
    });
    code.set(AT, get(before));
    this.forget(fieldsOf(expr));
  }

  /** Compares eight bytes at a time. Bytes behind the end of the line are readable (HEADROOM) and never equal: LF comes first. */
  private text(text: string, failed: Label): void {
    const bytes = Buffer.from(text, 'latin1');
    let at = 0;
    for (; bytes.length - at >= 8; at += 8)
      this.code.jumpIf(longsDiffer(load(8, get(AT), at), long(bytes.readBigInt64LE(at))), failed);
    for (const width of [4, 2, 1] as const) {
      if (bytes.length - at < width) continue;
      const word = width === 4 ? bytes.readInt32LE(at) : bytes.readUIntLE(at, width);
      this.code.jumpIf(differ(load(width, get(AT), at), int(word)), failed);
      at += width;
    }
    this.advance(bytes.length);
  }

  /** Moves on as long as bytes belong to `set`: one by one, since most such runs are short and of a length that the processor foresees. */
  private all(set: ByteSet): void {
    this.code.forever((ended) => {
      this.code.jumpIf(this.isOther(set), ended);
      this.advance(1);
    });
  }

  private until(stop: Expr | null): void {
    const {code} = this;
    if (stop === null || stop.is === 'byte') {
      this.all(bytes((byte) => stop?.set[byte] !== 1));
      return;
    }
    const first = firstByteOf(stop);
    const firsts = first === null ? null : spansOf(first);
    const isFar = firsts !== null && firsts.length <= MOST_SPANS;
    code.forever((stopped) => {
      if (isFar) skipTo(code, AT, firsts, this.surroundings.tables);
      code.jumpIf(equal(BYTE, int(LF)), stopped);
      code.block((goesOn) => {
        if (first !== null && !isFar) code.jumpIf(this.isOther(first), goesOn);
        const before = this.here();
        code.block((failed) => {
          this.match(stop, failed);
          code.set(AT, get(before));
          code.jump(stopped);
        });
        code.set(AT, get(before));
      });
      this.advance(1);
    });
  }

  /** Whether the next byte does not belong to `set`. */
  private isOther(set: ByteSet): Value {
    const [span, ...others] = spansOf(set);
    const missing = [...set.keys()].filter((byte) => set[byte] === 0);
    if (span !== undefined && others.length === 0) return greater(subtract(BYTE, int(span[0])), int(span[1] - span[0]));
    if (missing.length <= 2) return missing.map((byte) => equal(BYTE, int(byte))).reduce(or);
    return isZero(load(1, BYTE, this.surroundings.tables.place(set)));
  }

  private advance(by: number): void {
    this.code.set(AT, add(get(AT), int(by)));
  }

  /** Where the match has come to, kept. */
  private here(): Local {
    const local = this.code.local();
    this.code.set(local, get(AT));
    return local;
  }

  private forget(fields: readonly string[]): void {
    for (const field of fields) {
      const cell = this.surroundings.cells.indexOf(field);
      if (cell >= 0) this.store(HEAD + cell, float(-1));
    }
  }

  /** The field goes from `from` to where the match has come to. */
  private capture(field: string, from: Local): void {
    const {cells, numbers, same} = this.surroundings;
    const cell = HEAD + cells.indexOf(field);
    if (cell < HEAD) return;
    if (numbers.includes(field)) {
      this.storeNumber(cell, from);
      return;
    }
    this.store(cell, this.place(from));
    this.store(cell + 1, this.place(AT));
    this.store(cell + 2, toFloat(call(same, get(from), get(AT), this.placeBefore(cell), this.placeBefore(cell + 1))));
  }

  /** Up to eight digits are read at once; whatever is longer, or has a sign, takes its time. */
  private storeNumber(cell: number, from: Local): void {
    const {code, surroundings} = this;
    const length = subtract(get(AT), get(from));
    code.block((stored) => {
      code.block((isOther) => {
        code.jumpIf(greater(subtract(length, int(1)), int(MOST_AT_ONCE - 1)), isOther);
        code.jumpIf(equal(load(1, get(from)), int(MINUS)), isOther);
        const digits = shiftLeft(load(8, get(from)), toLong(multiply(int(8), subtract(int(MOST_AT_ONCE), length))));
        this.store(cell, longToFloat(sumOf(digits)));
        code.jump(stored);
      });
      this.store(cell, call(surroundings.decimal, get(from), get(AT)));
    });
  }

  private place(local: Local): Value {
    return toFloat(add(get(local), get(SHIFT)));
  }

  /** What {@link place} gave for a cell of the record before; 0 for all cells in front of the first record. */
  private placeBefore(cell: number): Value {
    const width = CELL * (HEAD + this.surroundings.cells.length);
    return subtract(toInt(loadFloat(subtract(get(RECORD), int(width)), CELL * cell)), get(SHIFT));
  }

  private store(cell: number, value: Value): void {
    this.code.storeFloat(get(RECORD), CELL * cell, value);
  }
}

/** More comparisons take longer than looking at one byte after the other. */
const MOST_SPANS = 2;

/** Moves `at` to the next byte of `stops`, or to the line's end. Bytes behind the last line are readable (HEADROOM). */
function skipTo(code: Code, at: Local, stops: readonly Span[], tables: Tables): void {
  const ahead = code.local('v128');
  const found = code.local();
  const isStop = [[LF, LF] as const, ...stops].map(([first, last]) =>
    first === last
      ? lanesEqual(get(ahead), tables.lanes(first))
      : lanesNotGreater(lanesSubtract(get(ahead), tables.lanes(first)), tables.lanes(last - first)),
  );
  code.block((isThere) => {
    code.loop((further) => {
      code.set(ahead, loadLanes(get(at)));
      code.set(found, bitsOf(isStop.reduce(lanesOr)));
      code.block((isNear) => {
        code.jumpIf(get(found), isNear);
        code.set(at, add(get(at), int(LANE_COUNT)));
        code.jump(further);
      });
      code.set(at, add(get(at), trailingZeros(get(found))));
      code.jump(isThere);
    });
  });
}

const MOST_AT_ONCE = 8;
const NEIGHBOURS: readonly (readonly [mask: bigint, factor: bigint, shift: bigint])[] = [
  [0x0f0f0f0f0f0f0f0fn, 0x0a01n, 8n],
  [0x00ff00ff00ff00ffn, 0x00640001n, 16n],
  [0x0000ffff0000ffffn, 0x271000000001n, 32n],
];

/** The value of eight digits, the first in the lowest byte; a byte of 0 is a zero. Neighbours are added up: ones with tens, pairs, fours. */
function sumOf(digits: Value): Value {
  return NEIGHBOURS.reduce(
    (sum, [mask, factor, shift]) => shiftRight(multiplyLongs(andLongs(sum, long(mask)), long(factor)), long(shift)),
    digits,
  );
}

/** The value of the digits from `from` to `to`, which a sign may precede. */
function decimal(): Code {
  const code = new Code(['i32', 'i32'], 'f64');
  const [from, to] = [0, 1];
  const value = code.local('f64');
  const isNegative = code.local();
  code.set(isNegative, equal(load(1, get(from)), int(MINUS)));
  code.set(from, add(get(from), get(isNegative)));
  code.forever((read) => {
    code.jumpIf(notLess(get(from), get(to)), read);
    const tens = multiplyFloats(get(value), float(10));
    code.set(value, addFloats(addFloats(tens, toFloat(load(1, get(from)))), float(-ZERO)));
    code.set(from, add(get(from), int(1)));
  });
  code.block((isPositive) => {
    code.jumpIf(isZero(get(isNegative)), isPositive);
    code.return(negativeFloat(get(value)));
  });
  code.return(get(value));
  return code;
}

/** 1 where the texts from `at` to `end` and from `other` to `otherEnd` are certainly the same, 0 where they are not or are short. */
function same(): Code {
  const code = new Code(['i32', 'i32', 'i32', 'i32'], 'i32');
  const [at, end, other, otherEnd] = [0, 1, 2, 3];
  const last = code.local();
  code.block((differs) => {
    code.set(last, subtract(get(end), int(WORD)));
    code.jumpIf(differ(subtract(get(end), get(at)), subtract(get(otherEnd), get(other))), differs);
    code.jumpIf(lessSigned(get(last), get(at)), differs);
    code.forever((isLast) => {
      code.jumpIf(notLess(get(at), get(last)), isLast);
      code.jumpIf(longsDiffer(load(WORD, get(at)), load(WORD, get(other))), differs);
      code.set(at, add(get(at), int(WORD)));
      code.set(other, add(get(other), int(WORD)));
    });
    code.jumpIf(longsDiffer(load(WORD, get(last)), load(WORD, subtract(get(otherEnd), int(WORD)))), differs);
    code.return(int(1));
  });
  code.return(int(0));
  return code;
}

/**
 * Goes through the lines from `at` to `end`, in each from its byte `skip` on, and gives where the records end that begin at `record`. `alike` is
 * the function that compares texts.
 */
function sweep(messages: number, alike: number, width: number, tables: Tables): Code {
  const code = new Code(['i32', 'i32', 'i32', 'i32', 'i32'], 'i32');
  const [at, end, record, shift, skip] = [0, 1, 2, 3, 4];
  const from = code.local();
  const skipped = code.local();
  const lineEnd = code.local();
  /** Where the line of the record before begins and what it skips ends; the same where that is not the line before. */
  const before = code.local();
  const beforeSkipped = code.local();
  const isAlike = code.local();
  code.block((done) => {
    code.loop((nextLine) => {
      code.jumpIf(notLess(get(at), get(end)), done);
      code.set(from, add(get(at), get(skip)));
      code.block((isShort) => {
        code.set(isAlike, call(alike, get(at), get(from), get(before), get(beforeSkipped)));
        code.block((isWithin) => {
          code.jumpIf(or(get(isAlike), isZero(get(skip))), isWithin);
          code.set(skipped, get(at));
          skipTo(code, skipped, [], tables);
          code.jumpIf(lessSigned(get(skipped), get(from)), isShort);
        });
        for (let message = 0; message < messages; message++) {
          code.block((isOther) => {
            code.set(lineEnd, call(message, get(from), get(record), get(shift)));
            code.jumpIf(lessSigned(get(lineEnd), int(0)), isOther);
            code.storeFloat(get(record), CELL * IS_ALIKE, toFloat(get(isAlike)));
            code.set(before, get(at));
            code.set(beforeSkipped, get(from));
            code.set(record, add(get(record), int(width)));
            code.set(at, add(get(lineEnd), int(1)));
            code.jump(nextLine);
          });
        }
      });
      skipTo(code, at, [], tables);
      code.set(at, add(get(at), int(1)));
      code.set(beforeSkipped, get(before));
      code.jump(nextLine);
    });
  });
  code.return(get(record));
  return code;
}
