/** Writes WebAssembly: as much of its binary format (core specification 2.0, section 5) as a sweep needs. */

const TYPES = {i32: 0x7f, i64: 0x7e, f64: 0x7c, v128: 0x7b} as const;
const LOADS = {1: 0x2d, 2: 0x2f, 4: 0x28, 8: 0x29} as const;
const UNREACHABLE = 0x00;
const BLOCK = 0x02;
const LOOP = 0x03;
const END = 0x0b;
const JUMP = 0x0c;
const JUMP_IF = 0x0d;
const RETURN = 0x0f;
const CALL = 0x10;
const GET = 0x20;
const SET = 0x21;
const LOAD_FLOAT = 0x2b;
const STORE_FLOAT = 0x39;
const INT = 0x41;
const LONG = 0x42;
const FLOAT = 0x44;
const FUNCTION = 0x60;
const VECTOR = 0xfd;
const LOAD_LANES = [VECTOR, 0x00];
const NO_VALUE = 0x40;
const PAGE = 65_536;

export type Type = keyof typeof TYPES;
/** Code that gives one value. */
export type Value = readonly number[];
/** The number of a parameter or of a local variable; parameters come first. */
export type Local = number;
/** Somewhere to jump to: the end of a block, or the beginning of a loop. */
export type Label = number;

/** What is made of one value. */
export const isZero = unary(0x45);
export const toLong = unary(0xad);
export const toFloat = unary(0xb7);
/** Without its fraction. */
export const toInt = unary(0xaa);
export const longToFloat = unary(0xb9);
export const negativeFloat = unary(0x9a);
export const trailingZeros = unary(0x68);
/** Of {@link LANE_COUNT} bytes: a bit for each that is set, the lowest for the first. */
export const bitsOf = unary(VECTOR, 0x64);

/** What is made of two. Whole numbers have no sign, but where a name says so. */
export const equal = binary(0x46);
export const differ = binary(0x47);
export const lessSigned = binary(0x48);
export const greater = binary(0x4b);
export const notLess = binary(0x4f);
export const add = binary(0x6a);
export const subtract = binary(0x6b);
export const multiply = binary(0x6c);
export const or = binary(0x72);
export const longsDiffer = binary(0x52);
export const multiplyLongs = binary(0x7e);
export const andLongs = binary(0x83);
export const shiftLeft = binary(0x86);
export const shiftRight = binary(0x88);
export const addFloats = binary(0xa0);
export const multiplyFloats = binary(0xa2);
/** Byte by byte; where a comparison holds, a byte is all ones. */
export const lanesEqual = binary(VECTOR, 0x23);
export const lanesNotGreater = binary(VECTOR, 0x2a);
export const lanesOr = binary(VECTOR, 0x50);
export const lanesSubtract = binary(VECTOR, 0x71);

/** Bytes that are looked at together. */
export const LANE_COUNT = 16;

export function get(local: Local): Value {
  return [GET, ...unsigned(local)];
}

export function int(value: number): Value {
  return [INT, ...signed(BigInt(value))];
}

/** The lowest 64 bits of a number. */
export function long(value: bigint): Value {
  return [LONG, ...signed(BigInt.asIntN(64, value))];
}

export function float(value: number): Value {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return [FLOAT, ...bytes];
}

/** So many bytes `offset` behind an address, the lowest first: a long where they are eight, otherwise an int. */
export function load(width: keyof typeof LOADS, address: Value, offset = 0): Value {
  return [...address, LOADS[width], 0, ...unsigned(offset)];
}

export function loadFloat(address: Value, offset: number): Value {
  return [...address, LOAD_FLOAT, 0, ...unsigned(offset)];
}

/** {@link LANE_COUNT} bytes, the first of them `offset` behind an address. */
export function loadLanes(address: Value, offset = 0): Value {
  return [...address, ...LOAD_LANES, 0, ...unsigned(offset)];
}

/** What a function gives, by its number in the module. */
export function call(functionNumber: number, ...parameters: readonly Value[]): Value {
  return [...parameters.flat(), CALL, ...unsigned(functionNumber)];
}

/** The code of one function, written from its first step to its last. */
export class Code {
  readonly parameters: readonly Type[];
  readonly result: Type;
  private readonly bytes: number[] = [];
  private readonly locals: Type[] = [];
  private depth = 0;

  constructor(parameters: readonly Type[], result: Type) {
    this.parameters = parameters;
    this.result = result;
  }

  /** A variable that is 0 at first. */
  local(type: Type = 'i32'): Local {
    return this.parameters.length + this.locals.push(type) - 1;
  }

  set(local: Local, value: Value): void {
    this.bytes.push(...value, SET, ...unsigned(local));
  }

  storeFloat(address: Value, offset: number, value: Value): void {
    this.bytes.push(...address, ...value, STORE_FLOAT, 0, ...unsigned(offset));
  }

  /** What `inside` writes; a jump to the label leaves it. */
  block(inside: (end: Label) => void): void {
    this.nest(BLOCK, inside);
  }

  /** What `inside` writes, once; a jump to the label begins it again. */
  loop(inside: (again: Label) => void): void {
    this.nest(LOOP, inside);
  }

  /** What `inside` writes, until it jumps to the label. */
  forever(inside: (end: Label) => void): void {
    this.block((end) =>
      this.loop((again) => {
        inside(end);
        this.jump(again);
      }),
    );
  }

  jump(to: Label): void {
    this.bytes.push(JUMP, ...unsigned(this.depth - to));
  }

  jumpIf(condition: Value, to: Label): void {
    this.bytes.push(...condition, JUMP_IF, ...unsigned(this.depth - to));
  }

  return(value: Value): void {
    this.bytes.push(...value, RETURN);
  }

  /** As it stands in a module. */
  body(): number[] {
    // The end is never reached: every function returns before.
    return sized([...vector(this.locals.map((type) => [1, TYPES[type]])), ...this.bytes, UNREACHABLE, END]);
  }

  private nest(kind: number, inside: (label: Label) => void): void {
    this.bytes.push(kind, NO_VALUE);
    this.depth++;
    inside(this.depth);
    this.depth--;
    this.bytes.push(END);
  }
}

/** A module that exports the last of its functions as `run`, and its memory, which begins with `data`. */
export function wasmModule(functions: readonly Code[], data: readonly number[], memoryBytes: number): Buffer {
  const types = functions.map(({parameters, result}) => [
    FUNCTION,
    ...vector(parameters.map((type) => [TYPES[type]])),
    ...vector([[TYPES[result]]]),
  ]);
  const pages = unsigned(Math.ceil(memoryBytes / PAGE));
  return Buffer.from([
    ...Buffer.from('\0asm\x01\0\0\0', 'latin1'),
    ...section(1, vector(types)),
    ...section(3, vector(functions.map((_, number) => unsigned(number)))),
    ...section(5, vector([[1, ...pages, ...pages]])),
    ...section(7, vector([exported('memory', 2, 0), exported('run', 0, functions.length - 1)])),
    ...section(10, vector(functions.map((code) => code.body()))),
    ...section(11, vector([[0, ...int(0), END, ...sized(data)]])),
  ]);
}

function unary(...operation: readonly number[]): (value: Value) => Value {
  return (value) => [...value, ...operation];
}

function binary(...operation: readonly number[]): (left: Value, right: Value) => Value {
  return (left, right) => [...left, ...right, ...operation];
}

function exported(name: string, kind: number, number: number): number[] {
  return [...sized([...Buffer.from(name, 'latin1')]), kind, ...unsigned(number)];
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...sized(content)];
}

function sized(content: readonly number[]): number[] {
  return [...unsigned(content.length), ...content];
}

function vector(items: readonly (readonly number[])[]): number[] {
  return [...unsigned(items.length), ...items.flat()];
}

/** Seven bits to a byte, the lowest first (LEB128). */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: bigint): number[] {
  const low = Number(value & 0x7fn);
  const isLast = value >> 6n === 0n || value >> 6n === -1n;
  return isLast ? [low] : [low | 0x80, ...signed(value >> 7n)];
}
