/** A real line with one to three edits, or two of them glued together. */
export function mutate(examples: readonly string[], random: (below: number) => number): Buffer {
  const pick = () => Buffer.from(examples[random(examples.length)] ?? '', 'latin1');
  let line = pick();
  for (let edits = random(4); edits > 0; edits--) {
    const at = random(line.length + 1);
    const to = Math.min(line.length, at + 1 + random(12));
    const [head, tail] = [line.subarray(0, at), line.subarray(at)];
    switch (random(8)) {
      case 0:
        line = Buffer.concat([head, line.subarray(to)]);
        break;
      case 1:
        line = Buffer.concat([head, Buffer.from(DELIMITERS[random(DELIMITERS.length)] ?? ''), tail]);
        break;
      case 2:
        line = Buffer.concat([head, line.subarray(at, to), tail]);
        break;
      case 3:
        line = head;
        break;
      case 4:
        line = Buffer.concat([head, Buffer.of(128 + random(128)), tail]);
        break;
      case 5:
        line = Buffer.concat([line, random(2) === 0 ? Buffer.alloc(0) : Buffer.from(' '), pick()]);
        break;
      case 6:
        line = Buffer.concat([head, Buffer.of(byteOtherThanLf(random)), tail]);
        break;
      default:
        line = Buffer.concat([head, Buffer.from(String(random(1_000_000))), tail]);
    }
  }
  return line;
}

function byteOtherThanLf(random: (below: number) => number): number {
  const byte = random(256);
  return byte === 10 ? 11 : byte;
}

const DELIMITERS = [
  ' => generated ',
  ' (pid: ',
  ')',
  '] ',
  ' - ',
  '...',
  ' !!!',
  '"',
  ': ',
  ' ',
  '|',
  ' in ',
  ' on ',
  '{',
  '}',
  '[',
  '-1',
  ' => ',
];
