import type {EnvelopeRecord} from './record.ts';

type Fields = Readonly<Record<string, unknown>>;

/** A key that only the state of a container has (moby, api/types/container). */
const IN_STATE = /^[ \t]*"OOMKilled": /;

/** Whether a line of JSON with indentation is of docker inspect. Its lines are read one by one, for a document that is cut tells as much. */
export function isInState(line: string): boolean {
  return IN_STATE.test(line);
}

/** The same on one line (docker inspect -f '{{json .State}}', jq -c): the lines that matter. Null where it is another document. */
export function stateRecord(fields: Fields): EnvelopeRecord | null {
  const state = (fields['State'] ?? fields) as Fields;
  if (typeof state['OOMKilled'] !== 'boolean' || typeof state['ExitCode'] !== 'number') return null;
  const lines = [
    ...['OOMKilled', 'ExitCode'].map((key) => `"${key}": ${state[key]}`),
    ...(typeof fields['Name'] === 'string' ? [`"Name": ${JSON.stringify(fields['Name'])}`] : []),
  ];
  return {name: 'docker-inspect', text: lines.join('\n'), isPartial: false, time: undefined, origin: []};
}
