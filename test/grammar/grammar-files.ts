import {readdirSync} from 'node:fs';

/** Every grammar that has messages (log.ohm has only words). */
export const grammarFiles = readdirSync('grammars')
  .filter((file) => file.endsWith('.ohm') && file !== 'log.ohm')
  .sort();
