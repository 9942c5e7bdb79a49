import {Ajv2020} from 'ajv/dist/2020.js';
import {describe, expect, test} from 'vitest';
import {eventLines} from '../../src/report/event-line.ts';
import {json, reportOf} from '../../src/report/json.ts';
import {schema} from '../../src/report/schema.ts';
import {at, event, healthyReload, hungReload, input, notUnderstood} from './diagnosis.ts';

const options = {width: 100, color: false, quiet: false, showRules: false};
const validate = new Ajv2020({strict: true, allowUnionTypes: true, allErrors: true}).compile(schema);

describe('schema', () => {
  test.each([
    ['a hung reload', hungReload()],
    ['a healthy reload', healthyReload()],
    ['nothing understood', notUnderstood()],
  ])('describes the report of %s', (_, diagnosis) => {
    validate(JSON.parse(json.render(diagnosis, options)));
    expect(validate.errors).toBeNull();
  });

  test('refuses what the contract does not allow', () => {
    const report = reportOf(hungReload());
    const broken = (changes: object) => validate({...report, ...changes});
    expect(broken({schemaVersion: 2})).toBe(false);
    expect(broken({verdict: undefined})).toBe(false);
    expect(broken({findings: report.findings.map((finding) => ({...finding, evidence: []}))})).toBe(false);
    expect(broken({findings: report.findings.map((finding) => ({...finding, severity: 'fatal'}))})).toBe(false);
    expect(broken({reloads: report.reloads.map((reload) => ({...reload, startedAt: {earliest: '20:12', latest: null}}))})).toBe(
      false,
    );
  });
});

test('the keys and values that others build on', () => {
  const report = reportOf(hungReload());
  expect(Object.keys(report)).toEqual([
    'schemaVersion',
    'verdict',
    'inputs',
    'instances',
    'reloads',
    'tasks',
    'snapshots',
    'findings',
    'rules',
    'notes',
    'measures',
    'baseline',
  ]);
  expect(report.inputs[0]).toMatchObject({coverage: 0.9983, from: '2019-07-31T20:10:00', zone: null});
  expect(report.instances[0]?.settings).toEqual([
    {name: 'worker-reload-mercy', value: 60, from: 'log', where: {input: 'uwsgi.log', line: 3}},
  ]);
  expect(report.instances[0]?.processes[0]).toMatchObject({
    pid: 390128,
    role: 'worker',
    worker: 1,
    startedAt: null,
    askedToStopAt: {earliest: '2019-07-31T20:12:13', latest: '2019-07-31T20:12:13'},
    end: 'forced',
    killedBy: 'master',
    successorPid: 391128,
  });
  expect(report.reloads[0]).toMatchObject({id: 'reload-1', outcome: 'completed', duration: {min: 63, max: 63}});
  expect(report.reloads[0]?.workers[0]).toEqual({
    worker: 1,
    oldPid: 390128,
    newPid: 391128,
    wait: {min: 61, max: 61},
    end: 'forced',
  });
  expect(report.findings[0]?.evidence[0]).toEqual({
    input: 'uwsgi.log',
    line: 41,
    text: 'worker 1 (pid: 390128) is taking too much time to die...NO MERCY !!!',
    shows: 'worker 1 was killed at the deadline',
  });
});

test('an unfinished reload has no end and no longest duration', () => {
  const diagnosis = hungReload();
  const reloads = diagnosis.timeline.reloads.map((reload) => ({...reload, endedAt: null, duration: {min: 61, max: 99}}));
  expect(reportOf({...diagnosis, timeline: {...diagnosis.timeline, reloads}}).reloads[0]).toMatchObject({
    endedAt: null,
    duration: {min: 61, max: null},
  });
});

test('a zone is written where all inputs agree on it', () => {
  const diagnosis = hungReload();
  const startedAt = (...zones: (string | null)[]) => {
    const inputs = zones.map((zone) => ({...input, zone}));
    return reportOf({...diagnosis, timeline: {...diagnosis.timeline, inputs}}).reloads[0]?.startedAt?.earliest;
  };
  expect(startedAt('UTC', 'UTC')).toBe('2019-07-31T20:12:13Z');
  expect(startedAt('UTC', null)).toBe('2019-07-31T20:12:13');
});

test('text of the log cannot steer a terminal that shows the JSON', () => {
  const evidence = [{at: event(1, 'a\x9b31m\u202e\u2028\x1b'), shows: ''}] as const;
  const printed = json.render(hungReload({evidence}), options);
  expect(printed.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}]/u);
  expect(JSON.parse(printed).findings[0].evidence[0].text).toBe(evidence[0].at.text);
});

test('the same diagnosis gives the same bytes', () => {
  expect(json.render(hungReload(), options)).toBe(json.render(hungReload(), options));
});

test('events are one JSON object a line and name their instance where pid or supervisor tell it', () => {
  const {timeline} = hungReload();
  const events = [{...event(41, 'gone\nwild', at('20:13:14')), pid: 390128, worker: 1}, event(42, 'x')];
  const other = {...timeline.instances[0], id: 'uwsgi-2', masterPid: 7, processes: []} as (typeof timeline.instances)[number];
  const lines = [...eventLines({...timeline, events, instances: [...timeline.instances, other]})];
  expect(lines.map((line) => line.endsWith('\n') && !line.slice(0, -1).includes('\n'))).toEqual([true, true]);
  expect(JSON.parse(lines[0] ?? '')).toEqual({
    message: 'uwsgi/something',
    input: 'uwsgi.log',
    line: 41,
    at: {earliest: '2019-07-31T20:13:14', latest: '2019-07-31T20:13:14'},
    instance: 'uwsgi-1',
    pid: 390128,
    worker: 1,
    fields: {},
    text: 'gone\nwild',
  });
  expect(JSON.parse(lines[1] ?? '')).toMatchObject({instance: null, at: null});
});
