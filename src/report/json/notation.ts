import type {LineRef} from '../../timeline/event.ts';
import type {Instant} from '../../timeline/time.ts';
import type {Timeline} from '../../timeline/timeline.ts';
import {type JsonInstant, jsonInstant} from '../instant.ts';
import {type Place, placeOf} from '../place.ts';

/** How instants and lines of a timeline are written. */
export interface Notation {
  readonly at: (instant: Instant | null) => JsonInstant | null;
  readonly where: (line: LineRef) => Place;
}

export function notationOf(timeline: Timeline): Notation {
  const zone = commonZone(timeline);
  return {at: (instant) => jsonInstant(instant, zone, timeline.clockSteps), where: (line) => placeOf(line, timeline)};
}

/** The zone that holds for instants of the whole timeline: the one that all inputs with a clock agree on. */
function commonZone({inputs}: Timeline): string | null {
  const zones = new Set(inputs.filter(({from}) => from !== null).map(({zone}) => zone));
  return zones.size === 1 ? ([...zones][0] ?? null) : null;
}
