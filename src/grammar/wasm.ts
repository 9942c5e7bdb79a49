/** Writes WebAssembly: as much of its binary format (core specification 1.0, section 5) as a sweep needs. */

/** Operations without operands in the code. */
export const OP = {
  return: 0x0f,
  isZero: 0x45,
  equal: 0x46,
  notEqual: 0x47,
  lessSigned: 0x48,
  less: 0x49,
  greater: 0x4b,
  notLess: 0x4f,
  notEqual64: 0x52,
  add: 0x6a,
  subtract: 0x6b,
  multiply: 0x6c,
  or: 0x72,
  add64: 0x7c,
  multiply64: 0x7e,
  and64: 0x83,
  shiftLeft64: 0x86,
  shiftRight64: 0x88,
  negateFloat: 0x9a,
  addFloat: 0xa0,
  multiplyFloat: 0xa2,
  widen: 0xad,
  toFloat: 0xb7,
  toFloat64: 0xb9,
} as const;

const LOAD = {1: 0x2d, 2: 0x2f, 4: 0x28, 8: 0x29} as const;
const TYPES = {i32: 0x7f, i64: 0x7e, f64: 0x7c} as const;
const NO_VALUE = 0x40;

export type Type = keyof typeof TYPES;
/** Somewhere to jump to: the end of a block, or the beginning of a loop. */
export type Label = number & {readonly kind?: 'label'};
export type Local = number & {readonly kind?: 'local'};

/** The code of one function, written from its first operation to its last. */
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

  local(type: Type = 'i32'): Local {
    return this.parameters.length + this.locals.push(type) - 1;
  }

  /** Writes what `inside` writes as a block; a jump to the label leaves it. */
  block(inside: (end: Label) => void): void {
    this.nest(0x02, inside);
  }

  /** The same; a jump to the label begins it again. */
  loop(inside: (again: Label) => void): void {
    this.nest(0x03, inside);
  }

  jump(to: Label): void {
    this.bytes.push(0x0c, ...unsigned(this.depth - to));
  }

  /** Jumps where the number on the stack is not 0. */
  jumpIf(to: Label): void {
    this.bytes.push(0x0d, ...unsigned(this.depth - to));
  }

  op(...operations: number[]): void {
    this.bytes.push(...operations);
  }

  get(local: Local): void {
    this.bytes.push(0x20, ...unsigned(local));
  }

  /** Takes the number on the stack. */
  set(local: Local): void {
    this.bytes.push(0x21, ...unsigned(local));
  }

  copy(from: Local, to: Local): void {
    this.get(from);
    this.set(to);
  }

  advance(local: Local, by: number): void {
    this.get(local);
    this.number(by);
    this.op(OP.add);
    this.set(local);
  }

  number(value: number): void {
    this.bytes.push(0x41, ...signed(BigInt(value)));
  }

  number64(value: bigint): void {
    this.bytes.push(0x42, ...signed(BigInt.asIntN(64, value)));
  }

  float(value: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(value);
    this.bytes.push(0x44, ...bytes);
  }

  /** So many bytes, little end first, `offset` behind the address on the stack. */
  load(width: keyof typeof LOAD, offset: number): void {
    this.bytes.push(LOAD[width], 0, ...unsigned(offset));
  }

  /** Stores the float on the stack `offset` behind the address below it. */
  storeFloat(offset: number): void {
    this.bytes.push(0x39, 0, ...unsigned(offset));
  }

  call(functionNumber: number): void {
    this.bytes.push(0x10, ...unsigned(functionNumber));
  }

  body(): number[] {
    const locals = this.locals.map((type) => [1, TYPES[type]]);
    return sized([...vector(locals), ...this.bytes, 0x0b]);
  }

  private nest(kind: number, inside: (label: Label) => void): void {
    this.bytes.push(kind, NO_VALUE);
    this.depth++;
    inside(this.depth);
    this.depth--;
    this.bytes.push(0x0b);
  }
}

const PAGE = 65_536;

/** A module that exports the last of its functions as `run`, and its memory, which begins with `data`. */
export function wasmModule(functions: readonly Code[], data: readonly number[], memoryBytes: number): Buffer {
  const types = functions.map(({parameters, result}) => [
    0x60,
    ...vector(parameters.map((type) => [TYPES[type]])),
    ...vector([[TYPES[result]]]),
  ]);
  const pages = unsigned(Math.ceil(memoryBytes / PAGE));
  return Buffer.from([
    ...Buffer.from('\0asm\x01\0\0\0', 'latin1'),
    ...section(1, vector(types)),
    ...section(3, vector(functions.map((_, number) => unsigned(number)))),
    ...section(5, vector([[1, ...pages, ...pages]])),
    ...section(
      7,
      vector([
        [...name('memory'), 2, 0],
        [...name('run'), 0, ...unsigned(functions.length - 1)],
      ]),
    ),
    ...section(10, vector(functions.map((code) => code.body()))),
    ...section(11, vector([[0, 0x41, 0, 0x0b, ...sized(data)]])),
  ]);
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...sized(content)];
}

function name(text: string): number[] {
  return sized([...Buffer.from(text, 'latin1')]);
}

function sized(content: readonly number[]): number[] {
  return [...unsigned(content.length), ...content];
}

function vector(items: readonly (readonly number[])[]): number[] {
  return [...unsigned(items.length), ...items.flat()];
}

function unsigned(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return [...bytes, rest];
    bytes.push((rest & 0x7f) | 0x80);
  }
}

function signed(value: bigint): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7n) {
    const low = Number(rest & 0x7fn);
    const isLast = rest >> 6n === 0n || rest >> 6n === -1n;
    if (isLast) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}
