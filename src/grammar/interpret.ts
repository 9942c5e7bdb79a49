import {type Grammar, grammars, type Node} from 'ohm-js';
import {isFindable} from './beginnings.ts';
import {isShape, LF, messagesOf} from './expression.ts';
import {kebabCase, type Matcher} from './matcher.ts';

/**
 * A matcher that asks Ohm's interpreter: slow (30 to 200 µs a line) and, by definition, right. It is the
 * oracle of the tests, and what `--engine ohm` runs. Of some of its messages only, where `isWanted` says so.
 */
export function interpret(grammar: Grammar, isWanted: (message: string) => boolean = () => true): Matcher {
  const declared = messagesOf(grammar).filter(({rule}) => isWanted(kebabCase(rule)));
  const rules = declared.map(({rule}) => rule);
  const findable = declared.filter(({expr}) => isFindable(expr)).map(({rule}) => rule);
  const asked = grammars(
    `Asked <: ${grammar.name} {
      whole_ = ${rules.map((rule) => `${rule} space* end`).join(' | ') || '~any any'}
      prefix_ = ${rules.map((rule) => `${rule} any*`).join(' | ') || '~any any'}
      inside_ = ${findable.map((rule) => `${rule} any*`).join(' | ') || '~any any'}
    }`,
    {[grammar.name]: grammar},
  )['Asked'] as Grammar;

  const fieldsOfRule = declared.map((message) => message.fields);
  const fields = [...new Set(fieldsOfRule.flat())];
  const captures = new Int32Array(2 * fields.length).fill(-1);
  let buffer: Buffer = Buffer.alloc(0);
  let end = -1;

  const semantics = asked.createSemantics().addOperation<void>('capture(at)', {
    _terminal() {},
    _iter(...children: Node[]) {
      for (const child of children) child['capture'](this.args['at']);
    },
    _nonterminal(...children: Node[]) {
      const at = this.args['at'] as number;
      const field = isShape(this.ctorName) ? -1 : fields.indexOf(this.ctorName);
      if (field >= 0) {
        captures[2 * field] = at + this.source.startIdx;
        captures[2 * field + 1] = at + this.source.endIdx;
      }
      for (const child of children) child['capture'](at);
    },
  });

  function ask(start: 'whole_' | 'prefix_' | 'inside_', at: number): number {
    const line = buffer.toString('latin1', at, buffer.indexOf(LF, at));
    const result = asked.match(line, start);
    if (result.failed()) return -1;
    captures.fill(-1);
    const root = semantics(result);
    const message = root.children[0] as Node;
    message['capture'](at);
    end = at + message.source.endIdx;
    return rules.indexOf(message.ctorName);
  }

  return {
    grammar: grammar.name,
    messages: rules.map(kebabCase),
    fields,
    fieldsOf: fieldsOfRule.map((names) => names.map((name) => fields.indexOf(name))),
    captures,
    // The oracle looks at everything.
    signs: null,
    bind(next) {
      buffer = next;
    },
    match: (at) => ask('whole_', at),
    prefix: (at) => ask('prefix_', at),
    inside: (at) => ask('inside_', at),
    find(from, last = buffer.length) {
      for (let at = from; at <= last && buffer[at] !== LF; at++) if (ask('inside_', at) >= 0) return at;
      return -1;
    },
    end: () => end,
  };
}
