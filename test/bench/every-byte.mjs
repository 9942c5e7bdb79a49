// What JavaScript needs to look at every byte of a file once: counts lines.
import {closeSync, openSync, readSync} from 'node:fs';

const buffer = new Uint8Array(256 * 1024);

function lineEnds(length) {
  let count = 0;
  for (let at = 0; at < length; at++) if (buffer[at] === 10) count++;
  return count;
}

const file = openSync(process.argv[2], 'r');
let lines = 0;
for (let length = readSync(file, buffer); length > 0; length = readSync(file, buffer)) lines += lineEnds(length);
closeSync(file);
console.log(`lines ${lines}`);
