import {least} from '../extremes.ts';
import type {EnvelopeRecord} from './record.ts';

type Fields = Readonly<Record<string, unknown>>;

/** A key that only a document of uWSGI's stats server has, in front of all objects inside it (core/master_utils.c). */
const KEY = 'listen_queue_errors';
const IN_TEXT = new RegExp(`^[ \\t]*"${KEY}"`);

/** Whether a line of JSON with indentation shows that the object which it stands in is such a document. */
export function isInStats(line: string): boolean {
  return IN_TEXT.test(line);
}

/**
 * What the stats server says of the instance and of each worker, one object a record, with the keys that a diagnosis needs in
 * one order. None where it is another document.
 */
export function statsRecords(fields: Fields): EnvelopeRecord[] {
  const workers = fields['workers'];
  if (!(KEY in fields) || !Array.isArray(workers)) return [];
  const known = workers.filter((worker): worker is Fields => typeof worker === 'object' && worker !== null);
  const requests = known.reduce((sum, worker) => sum + (Number(worker['requests']) || 0), 0);
  return [
    record({...pick(fields, ['version', 'listen_queue']), requests}, /"version"/),
    record({master: fields['pid']}, atPid(fields)),
    ...known.map(workerRecord),
  ];
}

function workerRecord(worker: Fields): EnvelopeRecord {
  const facts = pick(worker, ['id', 'pid', 'requests', 'status', 'last_spawn', 'respawn_count']);
  const since = runningSince(worker['cores']);
  return record(since === null ? facts : {...facts, request_start: since}, atPid(worker));
}

/** When the oldest of the requests that run now began, in seconds since 1970. */
function runningSince(cores: unknown): number | null {
  const starts = (Array.isArray(cores) ? cores : []).flatMap((core: Fields | null) => {
    const start = (core?.['req_info'] as Fields | undefined)?.['request_start'];
    return core?.['in_request'] === 1 && typeof start === 'number' && start > 0 ? [start] : [];
  });
  return starts.length === 0 ? null : least(starts);
}

function pick(fields: Fields, keys: readonly string[]): Fields {
  return Object.fromEntries(keys.map((key) => [key, fields[key]]));
}

function atPid({pid}: Fields): RegExp {
  return new RegExp(`"pid"\\s*:\\s*${Number(pid)}\\b`);
}

function record(fields: Fields, standsAt: RegExp): EnvelopeRecord {
  return {name: 'uwsgi-stats', text: JSON.stringify(fields), isPartial: false, time: undefined, origin: [], standsAt};
}
