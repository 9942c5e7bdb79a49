import {parser} from '@lezer/python';
import {ConfigError, type Entry, lineCounter, type Section} from './configuration.ts';

type Node = ReturnType<typeof parser.parse>['topNode'];

/**
 * What a Python file assigns at its top level, read and never run: literals, their arithmetic and names assigned before.
 * Where only the program itself can tell, the value is null. Throws {@link ConfigError} where it is no Python.
 */
export function readPython(file: string, text: string): {sections: Section[]; entries: Entry[]} {
  const tree = parser.parse(text);
  const lineAt = lineCounter(text);
  const broken = firstError(tree.topNode);
  if (broken !== null) {
    throw new ConfigError(file, lineAt(broken), 'this is no valid Python', 'correct it; gunicorn --check-config tells more');
  }
  return {sections: [{name: '', start: 0, line: 1}], entries: new Reader(text, lineAt).read(tree.topNode)};
}

/** The name of an entry behind which any name may have any value. */
export const EVERYTHING = '*';

class Reader {
  private readonly text: string;
  private readonly lineAt: (offset: number) => number;
  private readonly entries: Entry[] = [];
  private readonly known = new Map<string, Constant>();

  constructor(text: string, lineAt: (offset: number) => number) {
    this.text = text;
    this.lineAt = lineAt;
  }

  read(script: Node): Entry[] {
    for (const statement of childrenOf(script)) this.take(statement);
    // Functions assign these, whenever they are called.
    for (const scope of nodesIn(script, 'ScopeStatement'))
      for (const key of this.namesIn(childrenOf(scope))) this.forget(scope, key);
    return this.entries;
  }

  private take(statement: Node): void {
    const {name} = statement;
    if (name === 'StatementGroup') {
      for (const each of childrenOf(statement)) this.take(each);
      return;
    }
    if (nodesIn(statement, 'VariableName').some((node) => /^(globals|locals|vars|exec|execfile)$/.test(this.textOf(node)))) {
      this.forget(statement, EVERYTHING);
      this.known.clear();
      return;
    }
    if (name === 'AssignStatement') this.assign(statement);
    else if (name === 'FunctionDefinition') this.define(statement, statement);
    else if (name === 'DecoratedStatement' && statement.lastChild?.name === 'FunctionDefinition')
      this.define(statement, statement.lastChild);
    // What is assigned under a condition may or may not hold.
    else for (const key of this.boundBy(statement)) this.forget(statement, key);
  }

  private assign(statement: Node): void {
    const children = childrenOf(statement);
    const operators = children.filter(({name}) => name === 'AssignOp');
    const [target, , value] = children.filter(({name}) => name !== 'TypeDef');
    const isPlain = operators.length === 1 && target?.name === 'VariableName' && value?.nextSibling === null;
    // `timeout: int` assigns nothing.
    if (operators.length === 0) return;
    if (!isPlain || value === undefined) {
      for (const key of this.boundBy(statement)) this.forget(statement, key);
      return;
    }
    for (const key of this.boundBy(value)) this.forget(statement, key);
    const key = this.textOf(target);
    const constant = evaluate(value, this.text, this.known);
    if (constant === undefined) this.known.delete(key);
    else this.known.set(key, constant);
    this.add(statement, key, constant === undefined ? null : shown(constant), value.from, value.to);
  }

  private define(statement: Node, definition: Node): void {
    const name = definition.getChild('VariableName');
    if (!name) return;
    this.known.delete(this.textOf(name));
    this.add(statement, this.textOf(name), 'a function', statement.to, statement.to);
  }

  private forget(statement: Node, key: string): void {
    this.known.delete(key);
    this.add(statement, key, null, statement.to, statement.to);
  }

  private add(statement: Node, key: string, value: string | null, from: number, to: number): void {
    const {from: start, to: end} = statement;
    this.entries.push({section: '', key, value, line: this.lineAt(start), start, from, to, end: Math.max(end, to)});
  }

  /** The names that a statement gives a value, or takes away. */
  private boundBy(statement: Node): ReadonlySet<string> {
    const keys = new Set<string>();
    const take = (node: Node): void => {
      const children = childrenOf(node);
      const bound = boundIn(node.name, children);
      for (const key of this.namesIn(bound)) keys.add(key);
      if (node.name === 'ImportStatement' && children.some(({name}) => name === '*')) keys.add(EVERYTHING);
      if (/^(FunctionDefinition|ClassDefinition|LambdaExpression)$/.test(node.name)) return;
      for (const child of children) take(child);
    };
    take(statement);
    return keys;
  }

  private namesIn(nodes: readonly Node[]): string[] {
    return nodes.flatMap((node) => {
      if (node.name === 'VariableName') return [this.textOf(node)];
      return /^(MemberExpression|TypeDef)$/.test(node.name) ? [] : this.namesIn(childrenOf(node));
    });
  }

  private textOf({from, to}: Node): string {
    return this.text.slice(from, to);
  }
}

/** Those children of a node in which names stand that it binds. */
function boundIn(name: string, children: readonly Node[]): readonly Node[] {
  const before = (keyword: string) =>
    children.slice(
      0,
      children.findLastIndex((child) => child.name === keyword),
    );
  switch (name) {
    case 'AssignStatement':
      return children.some((child) => child.name === 'AssignOp') ? before('AssignOp') : [];
    case 'UpdateStatement':
    case 'NamedExpression':
      return children.slice(0, 1);
    case 'ForStatement':
      return before('in');
    case 'FunctionDefinition':
    case 'ClassDefinition':
      return children.filter((child) => child.name === 'VariableName').slice(0, 1);
    case 'WithStatement':
    case 'TryStatement':
      return children.filter((_, index) => children[index - 1]?.name === 'as');
    case 'ImportStatement':
      return children.slice(children.findIndex((child) => child.name === 'import') + 1);
    case 'DeleteStatement':
      return children;
    default:
      return /Pattern$/.test(name) ? children : [];
  }
}

function nodesIn(root: Node, name: string): Node[] {
  const found: Node[] = [];
  root.cursor().iterate((node) => {
    if (node.name === name) found.push(node.node);
  });
  return found;
}

type Constant = string | number | boolean | null | readonly Constant[];

function evaluate(node: Node, text: string, known: ReadonlyMap<string, Constant>): Constant | undefined {
  const source = text.slice(node.from, node.to);
  switch (node.name) {
    case 'Number': {
      return exact(Number(source.replaceAll('_', '')));
    }
    case 'String':
      return stringOf(source);
    case 'ContinuedString': {
      const parts = childrenOf(node).map((part) => evaluate(part, text, known));
      return parts.every((part) => typeof part === 'string') ? parts.join('') : undefined;
    }
    case 'Boolean':
      return source === 'True';
    case 'None':
      return null;
    case 'VariableName':
      return known.get(source);
    case 'ParenthesizedExpression':
      return node.firstChild?.nextSibling ? evaluate(node.firstChild.nextSibling, text, known) : undefined;
    case 'UnaryExpression': {
      const value = node.lastChild ? evaluate(node.lastChild, text, known) : undefined;
      return source.startsWith('-') && typeof value === 'number' ? -value : undefined;
    }
    case 'BinaryExpression':
      return binary(node, text, known);
    case 'ArrayExpression':
    case 'TupleExpression': {
      const parts = childrenOf(node)
        .filter(({name}) => !/^[[\](),]$/.test(name))
        .map((part) => evaluate(part, text, known));
      return parts.every((part) => part !== undefined) ? (parts as Constant[]) : undefined;
    }
    default:
      return undefined;
  }
}

function binary(node: Node, text: string, known: ReadonlyMap<string, Constant>): Constant | undefined {
  const [left, operator, right] = childrenOf(node);
  if (!left || !operator || !right) return undefined;
  const [a, b] = [evaluate(left, text, known), evaluate(right, text, known)];
  const sign = text.slice(operator.from, operator.to);
  if (typeof a === 'string' && typeof b === 'string' && sign === '+') return a + b;
  if (typeof a !== 'number' || typeof b !== 'number') return undefined;
  switch (sign) {
    case '+':
      return exact(a + b);
    case '-':
      return exact(a - b);
    case '*':
      return exact(a * b);
    case '/':
      return exact(a / b);
    case '//':
      return exact(Math.floor(a / b));
    default:
      return undefined;
  }
}

/** Python counts on where this arithmetic loses digits. */
function exact(number: number): number | undefined {
  return Math.abs(number) <= Number.MAX_SAFE_INTEGER ? number : undefined;
}

/** Undefined for strings that are put together while the program runs. */
function stringOf(source: string): string | undefined {
  const [, prefix = '', quote = '', body = ''] = /^([A-Za-z]*)('''|"""|'|")([\s\S]*)\2$/.exec(source) ?? [];
  if (quote === '' || /[fbt]/i.test(prefix)) return undefined;
  if (/r/i.test(prefix)) return body;
  if (/(?<!\\)(?:\\\\)*\\[abfvxuUN0-7]/.test(body)) return undefined;
  return body.replaceAll(/\\([\s\S])/g, (whole, letter: string) => ESCAPES[letter] ?? whole);
}

const ESCAPES: Readonly<Record<string, string>> = {n: '\n', t: '\t', r: '\r', '\\': '\\', "'": "'", '"': '"', '\n': ''};

function shown(constant: Constant): string {
  if (constant === null) return 'None';
  return Array.isArray(constant) ? constant.map(shown).join(', ') : String(constant);
}

function firstError(root: Node): number | null {
  let at: number | null = null;
  root.cursor().iterate((node) => {
    if (node.type.isError) at ??= node.from;
  });
  return at;
}

function childrenOf(node: Node): Node[] {
  const children: Node[] = [];
  for (let child = node.firstChild; child; child = child.nextSibling) children.push(child);
  return children;
}
