/** JSON Schema of the report (`--json`). A test holds real reports against it. */

const string = {type: 'string'};
const boolean = {type: 'boolean'};
const nullableString = {type: ['string', 'null']};
const count = {type: 'integer', minimum: 0};
const integer = {type: 'integer'};
const nullableInteger = {type: ['integer', 'null']};
const array = (items: object) => ({type: 'array', items});
const oneOf = (...values: (string | null)[]) => ({enum: values});

/** An object with exactly these keys required; later versions may add more. */
const object = (properties: Record<string, object>, description?: string) => ({
  type: 'object',
  ...(description === undefined ? {} : {description}),
  required: Object.keys(properties),
  properties,
});

const time = {
  type: ['string', 'null'],
  pattern: '^\\+?-?\\d{4,6}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{3})?(Z|[+-]\\d\\d:\\d\\d)?$',
  description: 'ISO 8601, with an offset only where the log tells the zone',
};
const instant = {
  ...object({earliest: time, latest: time}),
  type: ['object', 'null'],
  description: 'Not before earliest, not after latest; null where nothing bounds it',
};
const duration = {
  ...object({min: {type: 'number', minimum: 0}, max: {type: ['number', 'null'], minimum: 0}}),
  description: 'Seconds; max is null where it is open',
};
const place = object({input: string, line: {type: 'integer', minimum: 1}});

const input = object({
  name: string,
  bytes: count,
  lines: count,
  compression: string,
  envelopes: array(string),
  supervisors: array(string),
  counts: object({events: count, requests: count, noise: count, application: count, unknown: count}),
  coverage: {type: 'number', minimum: 0, maximum: 1, description: '1 - unknown / lines'},
  from: time,
  to: time,
  zone: nullableString,
  truncated: boolean,
  oddities: array(object({what: string, count, firstLine: integer})),
  unknownExamples: array(object({line: integer, text: string})),
});

const setting = object({
  name: string,
  value: {type: ['string', 'number', 'boolean']},
  from: oneOf('log', 'config', 'default'),
  where: {...place, type: ['object', 'null']},
});

const cause = oneOf(
  'reload',
  'chain-reload',
  'stop',
  'max-requests',
  'max-lifetime',
  'rss',
  'harakiri',
  'timeout',
  'cheaper',
  'signal',
  'exit-code',
  'master-gone',
  'unknown',
);

const process = object({
  pid: {...nullableInteger, description: 'Null where the log tells the worker by its number alone'},
  role: oneOf('master', 'worker', 'gateway', 'mule', 'spooler', 'daemon', 'emperor', 'program', 'other'),
  worker: nullableInteger,
  program: {...nullableString, description: 'Its name, where it is a program of supervisord, a unit of systemd, a dyno'},
  startedAt: instant,
  askedToStopAt: instant,
  endedAt: instant,
  end: oneOf('clean', 'forced', 'crashed', 'killed', 'lost', 'running'),
  cause,
  killedBy: oneOf('master', 'arbiter', 'supervisord', 'systemd', 'platform', 'kernel', null),
  ownedBy: {
    ...place,
    type: ['object', 'null'],
    description: 'The line by which a supervisor or the kernel owns up to its end; null where it left by itself or nobody does',
  },
  signal: nullableString,
  requests: count,
  predecessorPid: nullableInteger,
  successorPid: nullableInteger,
});

const instance = object({
  id: string,
  supervisor: string,
  version: nullableString,
  name: nullableString,
  masterPid: nullableInteger,
  predecessor: nullableString,
  runsAs: {
    ...object({instance: string, program: string}),
    type: ['object', 'null'],
    description: 'The program of an outer supervisor that its master is',
  },
  settings: array(setting),
  processes: array(process),
});

const reload = object({
  id: string,
  instance: string,
  kind: oneOf('graceful', 'brutal', 'chain', 'workers', 'hup', 'usr2', 'stop'),
  trigger: oneOf('touch', 'signal', 'fifo', 'autoreload', 'unknown'),
  startedAt: instant,
  endedAt: instant,
  duration,
  outcome: oneOf('completed', 'unfinished', 'failed'),
  where: place,
  workers: array(
    object({
      worker: nullableInteger,
      oldPid: nullableInteger,
      newPid: nullableInteger,
      wait: duration,
      end: oneOf('clean', 'forced', 'unknown'),
    }),
  ),
});

const orphan = object({
  id: nullableString,
  pid: integer,
  worker: nullableInteger,
  startedAt: instant,
  lostTo: cause,
  where: place,
});

const fix = object({
  setting: nullableString,
  section: nullableString,
  value: nullableString,
  effect: string,
  since: nullableString,
  safety: oneOf('safe', 'may-cut-requests', 'needs-code'),
  why: string,
});

const finding = object({
  rule: string,
  severity: oneOf('error', 'warning', 'info'),
  confidence: oneOf('certain', 'likely', 'possible'),
  title: string,
  message: string,
  instance: nullableString,
  reload: nullableString,
  pids: array(integer),
  workers: array(integer),
  evidence: {...array(object({input: string, line: {type: 'integer', minimum: 1}, text: string, shows: string})), minItems: 1},
  against: array(object({hypothesis: string, because: string, line: nullableInteger})),
  cannotSee: array(string),
  fixes: array(fix),
  next: array(string),
  fingerprint: {...string, description: 'Stable over re-runs: no line, pid, time or measured value in it'},
});

const rule = object({id: string, result: oneOf('fired', 'passed', 'skipped', 'undecided'), reason: string});

export const schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'logdoctor report',
  ...object({
    schemaVersion: {const: 1},
    verdict: {...string, description: 'The answer in one sentence'},
    inputs: array(input),
    instances: array(instance),
    reloads: array(reload),
    tasks: object({started: count, finished: count, orphaned: array(orphan)}),
    findings: array(finding),
    rules: array(rule),
    notes: array(object({input: string, text: string})),
  }),
};
