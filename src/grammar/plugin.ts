import {dirname, join} from 'node:path';
import {compileGrammar} from './compile.ts';
import {compileSweep} from './compile-sweep.ts';
import {messagesOf} from './expression.ts';
import {loadGrammar} from './load.ts';
import {signsOf} from './signs.ts';
import {imageOf, imageToText} from './vocabulary-image.ts';

/** The part of esbuild's plugin interface that is used here; esbuild itself is a tool of the build only. */
interface EsbuildPlugin {
  readonly name: string;
  setup(build: {
    onLoad(options: {filter: RegExp}, load: (args: {path: string; suffix: string}) => {contents: string; loader: 'js'}): void;
  }): void;
}

/**
 * Makes `import matcher from '….ohm'` give the compiled matcher, for esbuild; `'….ohm?only=first,second'` one that knows
 * these messages alone, `'….ohm?sweep=first,second&numbers=…&texts=…'` the plan of a sweep over them, and `'….ohm?vocabulary=one,two'`
 * the image of a vocabulary of grammars that lie beside it, as text.
 */
export function grammarPlugin(): EsbuildPlugin {
  return {
    name: 'ohm-grammar',
    setup(build) {
      build.onLoad({filter: /\.ohm$/}, ({path, suffix}) => ({contents: compiled(path, suffix), loader: 'js'}));
    },
  };
}

/** The same for Vite, which runs the tests. */
export function viteGrammarPlugin(): {name: string; enforce: 'pre'; load(id: string): string | undefined} {
  return {
    name: 'ohm-grammar',
    enforce: 'pre',
    load: (id) => {
      const [, path, suffix] = /^(.*\.ohm)(\?.*)?$/.exec(id) ?? [];
      return path === undefined ? undefined : compiled(path, suffix ?? '');
    },
  };
}

function compiled(path: string, suffix: string): string {
  const asked = new URLSearchParams(suffix);
  const list = (name: string) => asked.get(name)?.split(',') ?? null;
  const vocabulary = list('vocabulary');
  if (vocabulary !== null) {
    const grammars = vocabulary.map((name) => loadGrammar(join(dirname(path), `${name}.ohm`)));
    const signs = grammars.map((grammar) => signsOf(messagesOf(grammar).map(({expr}) => expr)));
    return `export default ${JSON.stringify(imageToText(imageOf(signs)))};`;
  }
  const grammar = loadGrammar(path);
  const messages = list('sweep');
  if (messages === null) {
    const only = list('only');
    return compileGrammar(grammar, only === null ? undefined : (message) => only.includes(message));
  }
  const plan = compileSweep(grammar, {messages, numbers: list('numbers') ?? [], texts: list('texts') ?? []});
  return `export default ${JSON.stringify(plan)};`;
}
