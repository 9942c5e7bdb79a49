import {printableJson} from './escape.ts';
import {reportOf} from './json.ts';
import type {Reporter} from './reporter.ts';

/**
 * The JSON report in pieces, one object a line; `type` says which piece: `report` (version and verdict) first, then
 * `input`, `instance`, `reload`, `tasks`, `snapshot`, `finding`, `rule`, `note`, `measure` and, where there
 * is one, `baseline`.
 */
export const jsonl: Reporter = {
  name: 'jsonl',
  render(diagnosis) {
    const {schemaVersion, verdict, inputs, instances, reloads, tasks, snapshots, findings, rules, notes, measures, baseline} =
      reportOf(diagnosis);
    const of = (type: string, pieces: readonly object[]) => pieces.map((piece) => ({type, ...piece}));
    const pieces = [
      {type: 'report', schemaVersion, verdict},
      ...of('input', inputs),
      ...of('instance', instances),
      ...of('reload', reloads),
      {type: 'tasks', ...tasks},
      ...of('snapshot', snapshots),
      ...of('finding', findings),
      ...of('rule', rules),
      ...of('note', notes),
      ...of('measure', measures),
      ...(baseline === null ? [] : [{type: 'baseline', ...baseline}]),
    ];
    return pieces.map((piece) => `${printableJson(JSON.stringify(piece))}\n`).join('');
  },
};
