/**
 * A grammar's messages as trees that a byte matcher can be made from: every application replaced by the
 * body of its rule, every parameter by its argument. Whatever a byte matcher would do otherwise than Ohm is
 * refused here, naming the rule.
 */
import {type Grammar, pexprs} from 'ohm-js';

export type Expr =
  | {readonly is: 'text'; readonly text: string}
  /** Exactly one byte out of a set. */
  | {readonly is: 'byte'; readonly set: ByteSet}
  | {readonly is: 'seq'; readonly parts: readonly Expr[]}
  /** Ordered: the first that matches is taken for good. */
  | {readonly is: 'choice'; readonly of: readonly Expr[]}
  | {readonly is: 'opt'; readonly body: Expr}
  /** As often as possible, and never giving back. */
  | {readonly is: 'star'; readonly body: Expr}
  /** `(~stop any)*`: everything before `stop`, or up to the end of the line. */
  | {readonly is: 'until'; readonly stop: Expr | null}
  | {readonly is: 'not'; readonly body: Expr}
  | {readonly is: 'lookahead'; readonly body: Expr}
  | {readonly is: 'end'}
  /** What `body` matches is the value of the field. */
  | {readonly is: 'field'; readonly name: string; readonly body: Expr};

/** A set of bytes: 256 entries, 1 where the byte belongs to it. LF never does. */
export type ByteSet = Uint8Array;

export interface Message {
  readonly rule: string;
  readonly expr: Expr;
  /** In the order of the rule's text. */
  readonly fields: readonly string[];
}

export const LF = 10;

/** The grammar says something that a byte matcher cannot do as Ohm does it. */
export class GrammarRefusal extends Error {
  override readonly name = 'GrammarRefusal';
}

/** A rule whose name ends in "_" is only a shape; any other rule that a message applies is a field. */
export function isShape(ruleName: string): boolean {
  return ruleName.endsWith('_');
}

export function bytes(contains: (byte: number) => boolean): ByteSet {
  return Uint8Array.from({length: 256}, (_, byte) => (byte !== LF && contains(byte) ? 1 : 0));
}

const BUILT_IN: Readonly<Record<string, ByteSet>> = {
  digit: bytes((byte) => byte >= 0x30 && byte <= 0x39),
  hexDigit: bytes((byte) => /[0-9a-fA-F]/.test(String.fromCharCode(byte))),
  space: bytes((byte) => byte <= 0x20),
};

/**
 * The messages of a grammar in the order of its text: rules that no other rule applies and that are no shapes.
 *
 * @throws GrammarRefusal
 */
export function messagesOf(grammar: Grammar): Message[] {
  const own = Object.keys(grammar.rules);
  const applied = new Set<string>();
  for (const rule of own) {
    if (rule[0] === rule[0]?.toUpperCase()) refuse(grammar, rule, 'it is syntactic (capital letter): blanks would be skipped');
    if (rule.includes('_') && !isShape(rule)) refuse(grammar, rule, 'case labels ("-- name") have no meaning here');
  }
  for (const rule of own) eachApplication(bodyOf(grammar, rule), (name) => applied.add(name));
  return own
    .filter((rule) => !applied.has(rule) && !isShape(rule))
    .map((rule) => {
      const expr = expand(bodyOf(grammar, rule), {grammar, rule, path: [rule], args: []});
      return {rule, expr, fields: fieldsOf(expr)};
    });
}

/** The fields that a match may capture, each once, in order. */
export function fieldsOf(expr: Expr): string[] {
  if (expr.is === 'field') return [...fieldsOf(expr.body), expr.name];
  return [...new Set(childrenOf(expr).flatMap(fieldsOf))];
}

/** The expressions that `expr` is put together from. */
export function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.is) {
    case 'seq':
      return expr.parts;
    case 'choice':
      return expr.of;
    case 'opt':
    case 'star':
    case 'not':
    case 'lookahead':
    case 'field':
      return [expr.body];
    case 'until':
      return expr.stop === null ? [] : [expr.stop];
    default:
      return [];
  }
}

/** Where in a grammar an expression stands. */
interface Place {
  readonly grammar: Grammar;
  readonly rule: string;
  readonly path: readonly string[];
  /** What the parameters of the rule stand for here. */
  readonly args: readonly Expr[];
}

function expand(ohm: OhmExpr, place: Place): Expr {
  const {grammar, rule} = place;
  const fail = (reason: string) => refuse(grammar, rule, reason);
  const down = (child: OhmExpr) => expand(child, place);
  switch (typeOf(ohm)) {
    case pexprs.Terminal:
      if (ohm.obj.includes('\n')) fail('a literal contains a line end; a message is one line');
      if (ohm.obj === '') return {is: 'seq', parts: []};
      return ohm.obj.length === 1
        ? {is: 'byte', set: bytes((byte) => byte === ohm.obj.charCodeAt(0))}
        : {is: 'text', text: ohm.obj};
    case pexprs.Range: {
      const [from, to] = [ohm.from.charCodeAt(0), ohm.to.charCodeAt(0)];
      if (to > 0x7f) fail('a range reaches beyond ASCII, where a byte is not a character');
      return {is: 'byte', set: bytes((byte) => from <= byte && byte <= to)};
    }
    case pexprs.Param:
      return place.args[ohm.index] as Expr;
    case pexprs.Lex:
      return down(ohm.expr);
    case pexprs.Seq: {
      const parts = ohm.factors.map(down);
      const captured = parts.flatMap(fieldsOf);
      const twice = captured.find((field, at) => captured.indexOf(field) < at);
      if (twice !== undefined) fail(`field "${twice}" is captured twice`);
      return byteOfSeq(parts) ?? {is: 'seq', parts};
    }
    case pexprs.Alt:
    case pexprs.Extend:
    case pexprs.Splice: {
      const of = ohm.terms.map(down);
      const sets = of.map((term) => (term.is === 'byte' ? term.set : null));
      return sets.every((set) => set !== null)
        ? {is: 'byte', set: bytes((byte) => sets.some((set) => set[byte] === 1))}
        : {is: 'choice', of};
    }
    case pexprs.Opt:
      return {is: 'opt', body: down(ohm.expr)};
    case pexprs.Star:
    case pexprs.Plus: {
      const least = typeOf(ohm) === pexprs.Plus;
      const stop = stopOfAny(ohm.expr, place);
      if (stop !== undefined) {
        // Bytes do as well as characters here, for nobody counts them.
        const one: Expr = {is: 'byte', set: bytes(() => true)};
        const guard: Expr[] = stop === null ? [] : [{is: 'not', body: stop}];
        return least ? {is: 'seq', parts: [...guard, one, {is: 'until', stop}]} : {is: 'until', stop};
      }
      const body = down(ohm.expr);
      const repeated = fieldsOf(body)[0];
      if (repeated !== undefined) fail(`field "${repeated}" is captured in a repetition, so it has no single value`);
      return least ? {is: 'seq', parts: [body, {is: 'star', body}]} : {is: 'star', body};
    }
    case pexprs.Not:
    case pexprs.Lookahead: {
      const body = down(ohm.expr);
      const seen = fieldsOf(body)[0];
      if (seen !== undefined) fail(`field "${seen}" is captured in a lookahead, which consumes nothing`);
      return {is: typeOf(ohm) === pexprs.Not ? 'not' : 'lookahead', body};
    }
    case pexprs.Apply:
      return apply(ohm, place);
    default:
      return fail(`${ohm.constructor.name} cannot be compiled`);
  }
}

function apply(ohm: OhmExpr, place: Place): Expr {
  const {grammar, rule, path} = place;
  const name = ohm.ruleName;
  if (name === 'end') return {is: 'end'};
  if (name === 'any')
    return refuse(grammar, rule, 'a single "any" is one byte here and one character in Ohm; repeat it, or name the characters');
  const builtIn = BUILT_IN[name];
  if (builtIn !== undefined) return {is: 'byte', set: builtIn};
  if (path.includes(name)) return refuse(grammar, rule, `"${name}" is recursive (${[...path, name].join(' -> ')})`);
  if (!isDeclared(grammar, name))
    return refuse(grammar, rule, `"${name}" depends on Unicode categories or on case; name the characters`);
  const args = ohm.args.map((argument) => expand(argument, place));
  const body = expand(bodyOf(grammar, name), {grammar, rule: name, path: [...path, name], args});
  return isShape(name) ? body : {is: 'field', name, body};
}

/** What stops `any` in `~stop any` (null: nothing does), or undefined where this is another expression. */
function stopOfAny(ohm: OhmExpr, place: Place): Expr | null | undefined {
  if (isAny(ohm)) return null;
  if (typeOf(ohm) !== pexprs.Seq || ohm.factors.length !== 2) return undefined;
  const [guard, any] = ohm.factors as [OhmExpr, OhmExpr];
  if (typeOf(guard) !== pexprs.Not || !isAny(any)) return undefined;
  return (expand(guard, place) as {body: Expr}).body;
}

/** `~"x" digit` consumes one byte of a smaller set. */
function byteOfSeq(parts: readonly Expr[]): Expr | null {
  const consumed = parts.at(-1);
  if (consumed?.is !== 'byte') return null;
  const refused: ByteSet[] = [];
  for (const part of parts.slice(0, -1)) {
    if (part.is !== 'not' || part.body.is !== 'byte') return null;
    refused.push(part.body.set);
  }
  return {is: 'byte', set: bytes((byte) => consumed.set[byte] === 1 && refused.every((set) => set[byte] === 0))};
}

function refuse(grammar: Grammar, rule: string, reason: string): never {
  throw new GrammarRefusal(`grammar ${grammar.name}, rule ${rule}: ${reason}`);
}

/** Declared in the grammar or in one it inherits from, rather than built into Ohm. */
function isDeclared(grammar: Grammar, rule: string): boolean {
  for (let at = grammar as Lineage; !at.isBuiltIn(); at = at.superGrammar) {
    if (Object.hasOwn(at.rules, rule)) return true;
  }
  return false;
}

function bodyOf(grammar: Grammar, rule: string): OhmExpr {
  return (grammar as Lineage).rules[rule]?.body as OhmExpr;
}

function typeOf(ohm: OhmExpr): unknown {
  return ohm.constructor;
}

function isAny(ohm: OhmExpr): boolean {
  return typeOf(ohm) === pexprs.Apply && ohm.ruleName === 'any';
}

function eachApplication(ohm: OhmExpr, visit: (ruleName: string) => void): void {
  if (typeOf(ohm) === pexprs.Apply) visit(ohm.ruleName);
  for (const child of [ohm.expr, ...(ohm.terms ?? []), ...(ohm.factors ?? []), ...(ohm.args ?? [])]) {
    if (child !== undefined) eachApplication(child, visit);
  }
}

/** Members of Ohm's grammars and expressions that its typings leave out. */
type Lineage = Grammar & {
  readonly superGrammar: Lineage;
  readonly rules: Readonly<Record<string, {readonly body: OhmExpr}>>;
  isBuiltIn(): boolean;
};

interface OhmExpr {
  readonly constructor: {readonly name: string};
  readonly obj: string;
  readonly from: string;
  readonly to: string;
  readonly index: number;
  readonly ruleName: string;
  readonly args: readonly OhmExpr[];
  readonly expr: OhmExpr;
  readonly terms: readonly OhmExpr[];
  readonly factors: readonly OhmExpr[];
}
