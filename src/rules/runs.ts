/** One trouble in many runs of one server: a deploy that starts it anew meets the same hang every time, and that is one finding. */
import type {LineRef, LogEvent} from '../timeline/event.ts';
import {groupBy} from '../timeline/group.ts';
import {precedes} from '../timeline/lookup.ts';
import type {Instance, Timeline} from '../timeline/timeline.ts';
import type {Evidence, Rule, RuleFinding} from './rule.ts';
import {evidence, instanceName, list, unique} from './wording.ts';

/** Two runs are told one by one: what is different in the second may matter. */
const MANY = 3;

/**
 * Puts findings together that differ only in the run of the server in which they were made. The first of them speaks; how many there
 * are, and lines of the next ones, are added.
 */
export function togetherOverRuns(
  findings: readonly RuleFinding[],
  timeline: Timeline,
  rules: readonly Rule[],
): readonly RuleFinding[] {
  if (timeline.instances.length < MANY) return findings;
  const servers = serversIn(timeline.instances);
  const byId = new Map(timeline.instances.map((instance) => [instance.id, instance]));
  const keyOf = ({rule, severity, confidence, identity, instance: id}: RuleFinding, n: number): string => {
    const instance = byId.get(id ?? '');
    if (instance === undefined) return `alone ${n}`;
    const words = identity.map((word) => (word === instanceName(instance) ? '' : word));
    return [rule, severity, confidence, servers.get(instance), ...words].join('\0');
  };
  const keys = new Map(findings.map((finding, n) => [finding, keyOf(finding, n)]));
  /** By the first finding of each group what stands for the group; null for those that it stands for. */
  const told = new Map<RuleFinding, RuleFinding | null>();
  for (const group of groupBy(findings, (finding) => keys.get(finding) ?? '').values()) {
    const [first] = group;
    const runs = unique(group.map(({instance}) => instance ?? ''));
    if (runs.length < MANY) continue;
    for (const finding of group) told.set(finding, null);
    told.set(first, together(group, runs, rules.find(({id}) => id === first.rule)?.title ?? first.title));
  }
  return findings.flatMap((finding) => {
    const stands = told.get(finding);
    return stands === undefined ? [finding] : stands === null ? [] : [stands];
  });
}

function together(group: readonly [RuleFinding, ...RuleFinding[]], runs: readonly string[], general: string): RuleFinding {
  const [first, ...others] = group;
  const rest = others.map((other): Evidence => ({...other.evidence[0], shows: `${other.evidence[0].shows} (${other.instance})`}));
  const isSame = others.every(({title}) => title === first.title);
  return {
    ...first,
    title: `${isSame ? first.title : general}, in ${runs.length} runs of the server`,
    message: `${runs.length} runs of the server show it: ${list(runs, 4)}. Of the first of them: ${first.message}`,
    reload: null,
    pids: unique(group.flatMap(({pids}) => pids)),
    workers: unique(group.flatMap(({workers}) => workers)).sort((a, b) => a - b),
    evidence: evidence([...first.evidence, ...rest.slice(0, 4)], first.evidence.length + 4) ?? first.evidence,
  };
}

interface Server {
  readonly number: number;
  readonly kind: string;
  last: LineRef | null;
}

/** By instance: the number of the server that it is a run of. A run begins when the one before it has fallen silent. */
function serversIn(instances: readonly Instance[]): ReadonlyMap<Instance, number> {
  const servers: Server[] = [];
  const found = new Map<Instance, number>();
  const spans = instances.map((instance) => ({instance, ...spanOf(instance)}));
  for (const {instance, first, last} of spans.sort((a, b) => (a.first?.place ?? 0) - (b.first?.place ?? 0))) {
    const kind = `${instance.supervisor} ${instance.name ?? ''} ${first?.input ?? ''}`;
    const isOver = (server: Server) => server.last !== null && first !== null && precedes(server.last, first);
    let server = servers.findLast((each) => each.kind === kind && isOver(each));
    if (server === undefined) servers.push((server = {number: servers.length, kind, last}));
    else server.last = last;
    found.set(instance, server.number);
  }
  return found;
}

/** By the start of another master a run without an end of its own is known to be over: that line is the next one's. */
function isOfNext(line: LineRef & {readonly meaning?: LogEvent['meaning']}, epochs: Instance['epochs']): boolean {
  return line.meaning?.kind === 'master-started' && epochs.every(({master}) => master !== line);
}

function spanOf({epochs, processes, reloads, stopped}: Instance): {first: LineRef | null; last: LineRef | null} {
  const lines = [
    stopped,
    ...epochs.flatMap(({banner, master}) => [banner, master]),
    ...reloads.flatMap(({began, ended}) => [began, ended]),
    ...processes.flatMap(({started, ended, asked, forced, segments}) => [
      started,
      ended,
      asked?.event,
      forced?.event,
      segments[0]?.first,
      segments.at(-1)?.last,
    ]),
  ]
    .filter((line) => line != null)
    .filter((line) => !isOfNext(line, epochs));
  return lines.reduce<{first: LineRef | null; last: LineRef | null}>(
    ({first, last}, line) => ({
      first: first === null || precedes(line, first) ? line : first,
      last: last === null || precedes(last, line) ? line : last,
    }),
    {first: null, last: null},
  );
}
