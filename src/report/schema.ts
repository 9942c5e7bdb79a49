/** JSON Schemas of what the commands print as JSON. Tests hold real reports against them. */
import {LIMIT_IDS} from '../checks/limits.ts';
import {MEASURE_IDS} from '../measures/measure.ts';
import {SEVERITIES} from '../severity.ts';

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
const bounds = object({min: {type: 'number', minimum: 0}, max: {type: ['number', 'null'], minimum: 0}});
const duration = {
  ...bounds,
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
  endedBy: {
    ...oneOf('itself', 'supervisor', 'outer-supervisor', 'kernel', 'nobody-shown', null),
    description: 'Who ended it, as far as the log shows; null while it runs',
  },
  deadline: {
    ...oneOf('mercy', 'harakiri', 'evil-reload', 'brutal', 'timeout', 'stop-timeout', 'watchdog', 'memory', null),
    description: 'The patience that was over when its supervisor, or an outer one, ended it',
  },
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
    ...object({instance: string, program: string, inferred: boolean}),
    type: ['object', 'null'],
    description: 'The program of an outer supervisor that its master is; inferred where only the time of their start joins them',
  },
  settings: array(setting),
  processes: array(process),
  unproved: {
    ...array(integer),
    description:
      'Pids of workers that another instance may have started as well: whose they are, and what follows from it, is a guess',
  },
});

const reload = object({
  id: string,
  instance: string,
  rivals: {
    ...array(string),
    description:
      'Further instances that it may have been of: no line tells, and the one that is named is a guess. Empty where it is told',
  },
  kind: oneOf('graceful', 'brutal', 'chain', 'workers', 'hup', 'usr2', 'stop'),
  trigger: oneOf('touch', 'signal', 'fifo', 'autoreload', 'unknown'),
  beginningSeen: {
    type: 'boolean',
    description:
      'False: no line tells of its beginning, and the kind is inferred from the workers that left; "workers" with one worker may as ' +
      'well be a signal to this worker alone',
  },
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
  pid: nullableInteger,
  worker: nullableInteger,
  startedAt: instant,
  lostTo: cause,
  where: place,
  goneAt: instant,
  gone: {...place, type: ['object', 'null'], description: 'The line that shows that its process is gone'},
});

const fix = object({
  setting: nullableString,
  section: nullableString,
  value: nullableString,
  effect: string,
  since: nullableString,
  safety: oneOf('safe', 'may-cut-requests', 'needs-code'),
  why: string,
  tried: {type: 'boolean', description: 'It was tried on a real server against this trouble (docs/fixes.md)'},
});

const finding = object({
  rule: string,
  severity: oneOf(...SEVERITIES),
  confidence: oneOf('certain', 'likely', 'possible'),
  title: string,
  message: string,
  instance: nullableString,
  reload: nullableString,
  pids: array(integer),
  workers: array(integer),
  evidence: {...array(object({input: string, line: {type: 'integer', minimum: 1}, text: string, shows: string})), minItems: 1},
  against: array(
    object({
      hypothesis: string,
      because: {...string, description: 'What speaks against it'},
      line: nullableInteger,
      for: {...nullableString, description: 'What speaks for it'},
      fits: oneOf('equally', 'less', 'excluded', null),
      decides: {...nullableString, description: 'The one observation that would show it to be so'},
    }),
  ),
  cannotSee: array(string),
  fixes: array(fix),
  next: array(string),
  fingerprint: {...string, description: 'Stable over re-runs: no line, pid, time or measured value in it'},
});

const rule = object({id: string, result: oneOf('fired', 'passed', 'skipped', 'undecided'), reason: string});

const measure = object({
  id: oneOf(...MEASURE_IDS),
  title: string,
  unit: {...oneOf('seconds', 'count', 'part'), description: 'part runs from 0 to 1'},
  value: {
    ...bounds,
    type: ['object', 'null'],
    description: 'Not less than min, not more than max; null where there is nothing to measure',
  },
  missing: {...nullableString, description: 'Why there is nothing to measure'},
  count: {...count, description: 'The number of things that it was measured on'},
});

const snapshot = object({
  takenAt: instant,
  where: {...place, type: ['object', 'null'], description: 'The line that tells of the whole'},
  rows: array(
    object({
      pid: nullableInteger,
      worker: nullableInteger,
      instance: {...nullableString, description: 'Whose process it is, where the log names it'},
      fields: {type: 'object', description: 'What the row says: requests, spawns, lastSpawn, state, parent, …'},
      where: place,
      contradicts: {
        ...place,
        type: ['object', 'null'],
        description: 'The line of the log by which it had ended before',
      },
    }),
  ),
});

const baselineEntry = object({
  fingerprint: string,
  rule: string,
  title: string,
  reason: string,
  expires: {...nullableString, description: 'The last day on which it is accepted'},
});
const baseline = {
  ...object({
    file: string,
    accepted: {...array(baselineEntry), description: 'Their findings are not among the findings'},
    expired: {...array(baselineEntry), description: 'Past their day: their findings count again'},
    stale: {...array(baselineEntry), description: 'Without a finding in this log'},
  }),
  type: ['object', 'null'],
};

export const schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'logdoctor report',
  ...object({
    schemaVersion: {const: 1},
    verdict: {...string, description: 'The answer in one sentence'},
    inputs: array(input),
    instances: array(instance),
    reloads: array(reload),
    tasks: object({started: count, finished: count, retried: count, orphaned: array(orphan)}),
    snapshots: {...array(snapshot), description: 'What somebody saw who looked at the processes: uwsgitop, ps, status commands'},
    findings: array(finding),
    rules: array(rule),
    notes: array(object({input: string, text: string})),
    measures: array(measure),
    baseline,
  }),
};

const comparedFinding = object({rule: string, severity: oneOf(...SEVERITIES), title: string, fingerprint: string});
const comparedValue = object({value: {...bounds, type: ['object', 'null']}, count});

/** Of `logdoctor compare --json`. */
export const compareSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'logdoctor compare',
  ...object({
    schemaVersion: {const: 1},
    verdict: string,
    failed: boolean,
    before: string,
    after: string,
    measures: array(
      object({
        id: oneOf(...MEASURE_IDS),
        title: string,
        unit: oneOf('seconds', 'count', 'part'),
        before: comparedValue,
        after: comparedValue,
        change: oneOf('better', 'worse', 'same', 'cannot-tell'),
        because: {...nullableString, description: 'How it was compared, or why it cannot be told'},
        overBudget: boolean,
        limit: {...object({value: {type: 'number'}, result: oneOf('passed', 'broken', 'undecided')}), type: ['object', 'null']},
      }),
    ),
    findings: object({gone: array(comparedFinding), new: array(comparedFinding), kept: array(comparedFinding)}),
  }),
};

const shortFinding = object({
  rule: string,
  severity: oneOf(...SEVERITIES),
  confidence: oneOf('certain', 'likely', 'possible'),
  title: string,
  fingerprint: string,
  where: place,
});

const assertion = object({
  id: {...string, description: `${LIMIT_IDS.join(', ')}, the id of a rule, or fail-on`},
  about: oneOf('measure', 'rule', 'findings'),
  result: {
    ...oneOf('passed', 'broken', 'warning', 'undecided', 'unmeasured'),
    description: 'undecided: the log allows both; unmeasured: it has nothing to measure. Both fail only where strict',
  },
  says: {...string, description: 'The same in words'},
  limit: {type: ['number', 'null'], description: 'In the unit'},
  unit: oneOf('seconds', 'count', 'part', null),
  measured: {...bounds, type: ['object', 'null']},
  count: {...count, description: 'Of things that were measured, or of findings'},
  cases: {
    ...array(object({says: string, where: {...place, type: ['object', 'null']}})),
    description: 'What breaks it, or may do so',
  },
});

/** Of `logdoctor check --json`. */
export const checkSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'logdoctor check',
  ...object({
    schemaVersion: {const: 1},
    verdict: string,
    failed: boolean,
    strict: boolean,
    inputs: array(object({name: string, coverage: {type: 'number', minimum: 0, maximum: 1}})),
    assertions: array(assertion),
    unasserted: {...array(shortFinding), description: 'Found, and nothing was asserted about it'},
    baseline,
  }),
};

const kills = object({
  now: {...count, description: 'As the log has it'},
  after: {...object({min: count, max: count}), description: 'Under the other settings'},
});
const waits = object({now: duration, after: duration});

/** Of `logdoctor simulate --json`. */
export const simulationSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'logdoctor simulate',
  ...object({
    schemaVersion: {const: 1},
    settings: array(object({name: string, value: {type: ['string', 'number']}, remark: nullableString})),
    reloads: array(
      object({
        id: {...string, description: 'Of a reload or stop as in the report; of a program its name'},
        instance: string,
        kind: oneOf('graceful', 'brutal', 'chain', 'workers', 'hup', 'usr2', 'stop'),
        duration: waits,
        kills,
        workers: array(object({worker: nullableInteger, pid: nullableInteger, wait: waits, kills})),
      }),
    ),
    total: object({duration: waits, kills}),
    requests: object({
      count,
      longer: {...count, description: 'That took longer than the limit: cut if they run when a reload begins'},
      limit: {type: ['number', 'null'], description: 'Seconds'},
    }),
    tasks: object({count, longer: count}),
    cannotTell: array(string),
  }),
};
