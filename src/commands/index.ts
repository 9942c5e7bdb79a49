import {Analyze} from './analyze.ts';
import {Check} from './check.ts';
import {Compare} from './compare.ts';
import {Completion} from './completion.ts';
import {Events} from './events.ts';
import {Explain} from './explain.ts';
import {Formats} from './formats.ts';
import {FormatsWhy} from './formats-why.ts';
import {Rules} from './rules.ts';
import {Schema} from './schema.ts';
import {Simulate} from './simulate.ts';
import {Timeline} from './timeline.ts';

/** Every command by its name. */
export const commands = {
  analyze: Analyze,
  check: Check,
  compare: Compare,
  completion: Completion,
  events: Events,
  explain: Explain,
  formats: Formats,
  'formats:why': FormatsWhy,
  rules: Rules,
  schema: Schema,
  simulate: Simulate,
  timeline: Timeline,
};
