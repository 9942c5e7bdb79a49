import {sep} from 'node:path';
import type {RuleFinding} from '../rules/rule.ts';
import type {EventKind, LineRef} from '../timeline/event.ts';
import {instanceWithId, nameOfInput} from '../timeline/lookup.ts';
import type {Timeline} from '../timeline/timeline.ts';

/** Names of inputs are paths: with `/` on every platform. */
export function inputName(name: string): string {
  return sep === '/' ? name : name.replaceAll(sep, '/');
}

/** A line of an input, by the input's name. */
export interface Place {
  readonly input: string;
  readonly line: number;
}

export function placeOf(ref: LineRef, timeline: Timeline): Place {
  return {input: inputName(nameOfInput(timeline, ref)), line: ref.line};
}

/** Where to send a reader first: the line of the configuration that the finding would change, else the line of the log that tells most. */
export function mainPlace(finding: RuleFinding, timeline: Timeline): Place {
  return placeOf(mainLine(finding, timeline), timeline);
}

/** The same, as a line. */
export function mainLine(finding: RuleFinding, timeline: Timeline): LineRef {
  return configured(finding, timeline) ?? telling(finding, timeline);
}

/** The configuration's line of the setting that is the trouble, or else of the first setting that the fixes name, where the configuration was read. */
function configured({evidence: [first], fixes, instance}: RuleFinding, {inputs, instances}: Timeline): LineRef | null {
  if (first.at.input >= inputs.length) return first.at;
  const settings = instanceWithId(instances, instance)?.settings ?? [];
  for (const {setting} of fixes) {
    const written = settings.findLast(({name, from}) => name === setting && from === 'config');
    if (written?.where) return written.where;
  }
  return null;
}

/** The first line of the evidence that is more than the start-up's background. */
function telling({evidence}: RuleFinding, {events}: Timeline): LineRef {
  const places = new Set(evidence.map(({at}) => at.place));
  const background = events.filter(({place, meaning}) => places.has(place) && BACKGROUND.has(meaning.kind));
  const isBackground = ({input, place}: LineRef) => background.some((event) => event.input === input && event.place === place);
  return (evidence.find(({at}) => !isBackground(at)) ?? evidence[0]).at;
}

const BACKGROUND: ReadonlySet<EventKind> = new Set([
  'starting',
  'setting',
  'dump-began',
  'dump-ended',
  'master-started',
  'app-loaded',
]);
