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
  const entries: Entry[] = [];
  const known = new Map<string, Constant>();
  for (let statement = tree.topNode.firstChild; statement; statement = statement.nextSibling) {
    const at = {section: '', line: lineAt(statement.from), start: statement.from, end: statement.to};
    if (statement.name === 'AssignStatement') {
      const [name, operator, value] = childrenOf(statement);
      if (name?.name !== 'VariableName' || operator?.name !== 'AssignOp' || value === undefined || value.nextSibling !== null)
        continue;
      const key = text.slice(name.from, name.to);
      const constant = evaluate(value, text, known);
      if (constant === undefined) known.delete(key);
      else known.set(key, constant);
      entries.push({...at, key, value: constant === undefined ? null : shown(constant), from: value.from, to: value.to});
    } else if (statement.name === 'FunctionDefinition') {
      const name = statement.getChild('VariableName');
      if (name)
        entries.push({...at, key: text.slice(name.from, name.to), value: 'a function', from: statement.to, to: statement.to});
    } else {
      // What is assigned under a condition may or may not hold.
      for (const key of assignedWithin(statement, text)) {
        known.delete(key);
        entries.push({...at, key, value: null, from: statement.to, to: statement.to});
      }
    }
  }
  return {sections: [{name: '', start: 0, line: 1}], entries};
}

type Constant = string | number | boolean | null | readonly Constant[];

function evaluate(node: Node, text: string, known: ReadonlyMap<string, Constant>): Constant | undefined {
  const source = text.slice(node.from, node.to);
  switch (node.name) {
    case 'Number': {
      const number = Number(source.replaceAll('_', ''));
      return Number.isNaN(number) ? undefined : number;
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
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
    case '//':
      return Math.floor(a / b);
    default:
      return undefined;
  }
}

/** Undefined for strings that are put together while the program runs. */
function stringOf(source: string): string | undefined {
  const [, prefix = '', quote = '', body = ''] = /^([A-Za-z]*)('''|"""|'|")([\s\S]*)\2$/.exec(source) ?? [];
  if (quote === '' || /f/i.test(prefix)) return undefined;
  if (/r/i.test(prefix)) return body;
  return body.replaceAll(/\\([\s\S])/g, (whole, letter: string) => ESCAPES[letter] ?? whole);
}

const ESCAPES: Readonly<Record<string, string>> = {n: '\n', t: '\t', r: '\r', '\\': '\\', "'": "'", '"': '"', '\n': ''};

function shown(constant: Constant): string {
  if (constant === null) return 'None';
  return Array.isArray(constant) ? constant.map(shown).join(', ') : String(constant);
}

function assignedWithin(statement: Node, text: string): string[] {
  const keys = new Set<string>();
  statement.cursor().iterate((node) => {
    if (node.name === 'FunctionDefinition' || node.name === 'ClassDefinition' || node.name === 'LambdaExpression') return false;
    const name = node.node.firstChild;
    if (/^(Assign|Update)Statement$/.test(node.name) && name?.name === 'VariableName') keys.add(text.slice(name.from, name.to));
    return true;
  });
  return [...keys];
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
