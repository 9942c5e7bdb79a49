import {Ajv2020} from 'ajv/dist/2020.js';
import {expect, test} from 'vitest';
import {json, type Report} from '../../src/report/json.ts';
import {schema} from '../../src/report/schema.ts';
import {text} from '../../src/report/text.ts';
import {diagnosed, logsBelow} from '../recordings.ts';

const options = {width: 100, color: false, quiet: false, showRules: false};
const validate = new Ajv2020({strict: true, allowUnionTypes: true, allErrors: true}).compile(schema);

test.each(logsBelow('samples'))('%s is reported in full', async (name) => {
  const diagnosis = await diagnosed([name]);

  const written = JSON.parse(json.render(diagnosis, options)) as Report;
  validate(written);
  expect(validate.errors).toBeNull();
  expect(contradictions(written)).toEqual([]);

  const report = text.render(diagnosis, options);
  expect(report).not.toMatch(/undefined|NaN|\[object/);
  expect(report.split('\n').filter((line) => Array.from(line).length > options.width && line.trim().includes(' '))).toEqual([]);
  expect(report).toMatch(/^VERDICT {2}/m);
});

/** Places of a report where two of its fields cannot both be true. */
function contradictions({instances, reloads, findings, rules}: Report): readonly string[] {
  const processes = instances.flatMap(({id, processes}) =>
    processes.map((process) => ({...process, id: `${id} ${process.pid}`})),
  );
  const instants = [
    ...processes.flatMap(({id, startedAt, askedToStopAt, endedAt}) =>
      Object.entries({startedAt, askedToStopAt, endedAt}).map(([of, at]) => ({of: `${id} ${of}`, at})),
    ),
    ...reloads.flatMap(({id, startedAt, endedAt}) =>
      Object.entries({startedAt, endedAt}).map(([of, at]) => ({of: `${id} ${of}`, at})),
    ),
  ];
  const fired = new Set<string>(findings.map(({rule}) => rule));
  return [
    ...instants.flatMap(({of, at}) =>
      at?.earliest && at.latest && Date.parse(at.earliest) > Date.parse(at.latest) ? [`${of} ends before it begins`] : [],
    ),
    ...processes.flatMap(({id, end, endedAt}) => (end === 'running' && endedAt !== null ? [`${id} runs and has ended`] : [])),
    ...processes.flatMap(({id, end, killedBy}) =>
      (end === 'forced') !== (killedBy !== null) ? [`${id}: ${end} by ${killedBy}`] : [],
    ),
    ...reloads.flatMap(({id, outcome, endedAt}) =>
      outcome === 'unfinished' && endedAt !== null ? [`${id} is open and has ended`] : [],
    ),
    ...rules.flatMap(({id, result}) => ((result === 'fired') !== fired.has(id) ? [`${id} ${result}`] : [])),
  ];
}
