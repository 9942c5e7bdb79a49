// What is measured: logdoctor on each log, and beside it the tools that people use today.
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {isInstalled, lastOutput, scratchDir} from './measure.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const REQUEST_LINE = join(HERE, 'request-line.regex');
/** Findings, and a log that nobody understands. */
const FINDINGS = 1;
const NOT_UNDERSTOOD = 3;

/**
 * @typedef {object} Answer
 * @property {number} [lines]
 * @property {number} [requests]
 * @property {boolean} [isUnread] the program says itself that it cannot read this log
 */

/**
 * @typedef {object} Subject One row of the table.
 * @property {string} id `input/tool`
 * @property {string} input
 * @property {string} tool
 * @property {import('./measure.mjs').Command} command
 * @property {import('./generate.mjs').Made | null} log null for starting alone
 * @property {boolean} [isTimedOnly] too short for a throughput to mean anything
 * @property {() => Answer} [answer] what the command that ran last has counted
 */

/**
 * @typedef {object} Needed
 * @property {Record<string, import('./generate.mjs').Made>} logs by variant
 * @property {import('./generate.mjs').Made} tiny about 100 lines
 * @property {string} program the logdoctor to measure
 * @property {readonly string[]} inputs which rows are wanted
 */

/**
 * @param {Needed} needed
 * @returns {{subjects: Subject[], missing: string[]}}
 */
export function subjectsOf(needed) {
  const missing = new Set();
  const tools = (/** @type {Subject[]} */ list) =>
    list.filter(
      ({
        command: {
          argv: [tool],
        },
      }) => {
        if (isInstalled(tool)) return true;
        missing.add(tool);
        return false;
      },
    );
  const subjects = needed.inputs.flatMap((input) => tools(INPUTS[input](needed)));
  return {subjects, missing: [...missing]};
}

/** Which log each input reads; null where it needs none of the large ones. */
export const LOG_OF = {
  bare: 'bare',
  stdin: 'bare',
  gz: 'gz',
  journald: 'journald',
  docker: 'docker',
  hostile: 'hostile',
  unlike: 'unlike',
  start: null,
};

/** @type {Record<string, (needed: Needed) => Subject[]>} */
const INPUTS = {
  bare: ({logs: {bare}, program}) => [
    logdoctor('bare', bare, program),
    {
      ...logdoctor('bare', bare, program),
      id: 'bare/serial',
      tool: 'logdoctor on one thread',
      command: {argv: [...analyze(program, bare.path), '--threads', '1'], ok: [FINDINGS, NOT_UNDERSTOOD]},
    },
    {
      ...anchor('bare/perl', 'Perl, one pass', bare, ['perl', join(HERE, 'one-pass.pl'), REQUEST_LINE, bare.path]),
      answer: perlAnswer,
    },
    {...anchor('bare/rg', 'rg -c, whole request line', bare, ['rg', '-c', '-f', REQUEST_LINE, bare.path]), answer: rgAnswer},
    anchor('bare/bytes', 'JS loop over every byte', bare, [process.execPath, join(HERE, 'every-byte.mjs'), bare.path]),
    anchor('bare/wc', 'wc -l', bare, ['wc', '-l', bare.path]),
    {...anchor('bare/lnav', 'lnav, index and count', bare, []), command: lnav(bare.path)},
    {...anchor('bare/goaccess', 'goaccess, JSON report', bare, []), command: goaccess(bare.path)},
  ],
  stdin: ({logs: {bare}, program}) => [
    {...logdoctor('stdin', bare, program), command: {argv: analyze(program, '-'), ok: [FINDINGS], pipedFrom: bare.path}},
  ],
  gz: ({logs: {gz}, program}) => [logdoctor('gz', gz, program), anchor('gz/zcat', 'zcat', gz, ['zcat', gz.path])],
  journald: ({logs: {journald}, program}) => [logdoctor('journald', journald, program)],
  docker: ({logs: {docker}, program}) => [logdoctor('docker', docker, program)],
  hostile: ({logs: {hostile}, program}) => [logdoctor('hostile', hostile, program)],
  unlike: ({logs: {unlike}, program}) => [logdoctor('unlike', unlike, program)],
  start: ({tiny, program}) => [
    anchor('start/version', 'logdoctor --version', null, [process.execPath, program, '--version']),
    {...logdoctor('start', tiny, program), tool: `logdoctor, a log of ${tiny.lines} lines`, isTimedOnly: true},
    anchor('start/node', 'node -e 0', null, [process.execPath, '-e', '0']),
  ],
};

/** @returns {Subject} */
function logdoctor(input, log, program) {
  const command = {argv: analyze(program, log.path), ok: [FINDINGS, NOT_UNDERSTOOD]};
  return {id: `${input}/logdoctor`, input, tool: 'logdoctor', log, command, answer: logdoctorAnswer};
}

/** @returns {Subject} */
function anchor(id, tool, log, argv) {
  return {id, input: id.slice(0, id.indexOf('/')), tool, log, command: {argv}};
}

function analyze(program, path) {
  return [process.execPath, program, 'analyze', path, '--format', 'json'];
}

/** lnav knows uWSGI's lines. */
function lnav(path) {
  return {argv: ['lnav', '-n', '-c', ';SELECT count(*) FROM uwsgi_log', path], env: {HOME: scratchDir}};
}

function goaccess(path) {
  const format = '[%^] %h (%^) {%^} [%^ %d %t %^] %m %U => generated %b bytes in %L msecs (%H %s)%^';
  const how = [
    '--no-global-config',
    '--num-tests=0',
    '--no-progress',
    `--log-format=${format}`,
    '--date-format=%b %d',
    '--time-format=%T',
  ];
  return {argv: ['goaccess', path, ...how, '-o', join(scratchDir, 'goaccess.json')]};
}

/** @returns {Answer} */
function logdoctorAnswer() {
  const {
    inputs: [{lines, counts}],
  } = JSON.parse(lastOutput());
  return {lines, requests: counts.requests, isUnread: counts.unknown === lines};
}

/** @returns {Answer} */
function perlAnswer() {
  const [, lines, requests] = /^lines (\d+)\nrequests (\d+)\n/.exec(lastOutput()) ?? [];
  return {lines: Number(lines), requests: Number(requests)};
}

/** @returns {Answer} */
function rgAnswer() {
  return {requests: Number(lastOutput())};
}
