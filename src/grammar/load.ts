import {readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import * as ohm from 'ohm-js';

/**
 * Reads an Ohm grammar, with further rules in front of its own where some are given, and the grammars it inherits from, which lie beside it: `Uwsgi <: Log` in
 * `uwsgi.ohm` needs `log.ohm`.
 *
 * The text is read as Latin-1 on purpose: a character of the grammar is then a byte of the log, so the
 * interpreter and the compiled matcher speak about the same thing, invalid UTF-8 included. A literal such
 * as "…" becomes its three bytes.
 *
 * @throws if a file cannot be read or is no grammar; Ohm's message names the place.
 */
export function loadGrammar(file: string, rules = ''): ohm.Grammar {
  const {namespace, name} = load(file, rules);
  return namespace[name] as ohm.Grammar;
}

/** The grammar's source as the engine reads it (one character per byte). */
function grammarSource(file: string): string {
  return readFileSync(file, 'latin1');
}

const HEAD = /^\s*([A-Z]\w*)\s*(?:<:\s*(\w+)\s*)?\{/m;

function load(file: string, rules = ''): {namespace: ohm.Namespace; name: string} {
  const source = grammarSource(file).replace(HEAD, (head) => (rules === '' ? head : `${head}\n${rules}\n`));
  const [, name, parent] = HEAD.exec(source) ?? [];
  if (name === undefined) throw new Error(`${file}: no grammar found`);
  const inherited = parent === undefined ? {} : load(join(dirname(file), `${parent.toLowerCase()}.ohm`)).namespace;
  try {
    return {namespace: ohm.grammars(source, inherited), name};
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`);
  }
}
