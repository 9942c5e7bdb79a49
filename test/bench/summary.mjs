// From single runs to medians, ratios and tables.

/**
 * @typedef {object} Row
 * @property {string} id
 * @property {string} input
 * @property {string} tool
 * @property {number} runs
 * @property {{median: number, min: number, max: number, all: number[]}} wall seconds
 * @property {number | null} user
 * @property {number | null} system
 * @property {number | null} peakMiB the largest of all runs
 * @property {number | null} mbPerSecond of the file as it lies on the disk; of the unpacked log for gz
 * @property {number | null} linesPerSecond
 * @property {boolean} isUnread
 */

/**
 * @typedef {object} Ratio
 * @property {string} what
 * @property {number} value
 * @property {number} aim what it should be at most
 * @property {string} unit
 */

/**
 * @param {import('./subjects.mjs').Subject} subject
 * @param {import('./measure.mjs').Measured[]} runs
 * @param {{bytes: number, isUnread: boolean}} about `bytes` that the program has to look at
 * @returns {Row}
 */
export function rowOf({id, input, tool, log, isTimedOnly = false}, runs, {bytes, isUnread}) {
  const all = runs.map(({wall}) => wall);
  const hasThroughput = log !== null && !isTimedOnly;
  const wall = {median: median(all), min: Math.min(...all), max: Math.max(...all), all};
  const peaks = runs.map(({peak}) => peak).filter((peak) => peak !== null);
  return {
    id,
    input,
    tool,
    runs: runs.length,
    wall,
    user: medianOfKnown(runs.map(({user}) => user)),
    system: medianOfKnown(runs.map(({system}) => system)),
    peakMiB: peaks.length === 0 ? null : Math.max(...peaks) / 1024,
    mbPerSecond: hasThroughput ? bytes / 1e6 / wall.median : null,
    linesPerSecond: hasThroughput ? log.lines / wall.median : null,
    isUnread,
  };
}

/** Each compares runs of the same round, so that what else the machine does weighs on both alike. */
const PAIRS = [
  ['bare/logdoctor', 'bare/rg', 'wall, against rg -c with the whole request line', 0.5],
  ['bare/serial', 'bare/rg', 'the same on one thread', 0.8],
  ['bare/logdoctor', 'bare/perl', 'wall, against the one-pass Perl script', 0.22],
  ['bare/serial', 'bare/bytes', 'wall on one thread, against a JS loop over every byte', 1.8],
  ['bare/logdoctor', 'bare/lnav', 'wall, against lnav', 1 / 4],
  ['bare/logdoctor', 'bare/goaccess', 'wall, against goaccess', 1 / 15],
  ['stdin/logdoctor', 'bare/serial', 'wall, standard input against file', 2.3],
  ['gz/logdoctor', 'gz/zcat', 'wall, gz against zcat', 0.7],
  ['journald/logdoctor', 'bare/serial', 'wall per line, journald against bare', 1.15],
  ['docker/logdoctor', 'bare/serial', 'wall per line, Docker against bare', 3.5],
  ['hostile/logdoctor', 'bare/serial', 'wall per byte, hostile against bare', 2],
  ['unlike/logdoctor', 'bare/serial', 'the same where no line comes twice', 2],
  ['start/version', 'start/node', '--version, against node -e 0', 2.3],
  ['start/logdoctor', 'start/node', 'tiny log, against node -e 0', 2.3],
];
const MEMORY = [
  ['bare/serial', 'peak memory, file, one thread', 96],
  ['stdin/logdoctor', 'peak memory, standard input', 96],
  ['gz/logdoctor', 'peak memory, gz', 96],
];

/**
 * @param {readonly Row[]} rows
 * @returns {Ratio[]}
 */
export function ratiosOf(rows) {
  const byId = new Map(rows.filter(({isUnread}) => !isUnread).map((row) => [row.id, row]));
  const walls = PAIRS.flatMap(([subject, anchor, what, aim]) => {
    const [one, other] = [byId.get(subject), byId.get(anchor)];
    return one === undefined || other === undefined ? [] : [{what, value: pairedRatio(one, other), aim, unit: 'x'}];
  });
  const peaks = MEMORY.flatMap(([id, what, aim]) => {
    const value = byId.get(id)?.peakMiB ?? null;
    return value === null ? [] : [{what, value, aim, unit: ' MiB'}];
  });
  return [...walls, ...peaks];
}

function pairedRatio({wall: {all: ours}}, {wall: {all: theirs}}) {
  const rounds = Math.min(ours.length, theirs.length);
  return median(Array.from({length: rounds}, (_, round) => ours[round] / theirs[round]));
}

/** @param {readonly Row[]} rows */
export function rowTable(rows) {
  const head = ['input', 'what reads it', 'runs', 'wall s', 'min-max', 'user s', 'peak MiB', 'MB/s', 'M lines/s'];
  return table(head, rows.map(cellsOf), 2);
}

function cellsOf({input, tool, runs, wall, user, peakMiB, mbPerSecond, linesPerSecond, isUnread}) {
  return [
    input,
    isUnread ? `${tool} (cannot read it yet)` : tool,
    String(runs),
    fixed(wall.median, 3),
    `${fixed(wall.min, 3)}-${fixed(wall.max, 3)}`,
    fixed(user, 2),
    fixed(peakMiB, 0),
    fixed(mbPerSecond, 0),
    fixed(linesPerSecond === null ? null : linesPerSecond / 1e6, 2),
  ];
}

/** @param {readonly Ratio[]} ratios */
export function ratioTable(ratios) {
  return table(
    ['measure', 'now', 'aim', ''],
    ratios.map(({what, value, aim, unit}) => [
      what,
      figure(value, unit),
      `<= ${figure(aim, unit)}`,
      value <= aim ? 'reached' : 'not yet',
    ]),
    1,
  );
}

function figure(value, unit) {
  return unit === 'x' ? `${fixed(value, value < 1 ? 3 : 2)}${unit}` : `${fixed(value, 0)}${unit}`;
}

/** A Markdown table; the first `words` columns hold words, the others figures. */
function table(head, body, words) {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...body].map((row) => row[column].length)));
  const isLeft = (column) => column < words;
  const line = (row) =>
    `| ${row.map((cell, column) => (isLeft(column) ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join(' | ')} |`;
  const rule = `|${widths.map((width, column) => (isLeft(column) ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [line(head), rule, ...body.map(line)].join('\n');
}

function fixed(value, digits) {
  return value === null ? '' : value.toFixed(digits);
}

function medianOfKnown(values) {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : median(known);
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
