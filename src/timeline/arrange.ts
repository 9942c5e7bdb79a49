import {withUnitsNamed} from './described-units.ts';
import {withoutDoubled} from './doubled.ts';
import {withoutEchoes} from './echoes.ts';
import {merge} from './merge.ts';
import type {Recording} from './recording.ts';

/** Makes one record of what happened of all that was read: everything once, in the order of time as far as it is known. */
export function arrange(recording: Recording): Recording {
  return merge(withUnitsNamed(withoutDoubled(withoutEchoes(recording))));
}
