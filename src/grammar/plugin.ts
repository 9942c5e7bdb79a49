import {compileGrammar} from './compile.ts';
import {loadGrammar} from './load.ts';

/** The part of esbuild's plugin interface that is used here; esbuild itself is a tool of the build only. */
interface EsbuildPlugin {
  readonly name: string;
  setup(build: {onLoad(options: {filter: RegExp}, load: (args: {path: string}) => {contents: string; loader: 'js'}): void}): void;
}

/** Makes `import matcher from '….ohm'` give the compiled matcher, for esbuild. */
export function grammarPlugin(): EsbuildPlugin {
  return {
    name: 'ohm-grammar',
    setup(build) {
      build.onLoad({filter: /\.ohm$/}, ({path}) => ({contents: compileGrammar(loadGrammar(path)), loader: 'js'}));
    },
  };
}

/** The same for Vite, which runs the tests. */
export function viteGrammarPlugin(): {name: string; enforce: 'pre'; load(id: string): string | undefined} {
  return {
    name: 'ohm-grammar',
    enforce: 'pre',
    load: (id) => (id.endsWith('.ohm') ? compileGrammar(loadGrammar(id)) : undefined),
  };
}
