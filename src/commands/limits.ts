import * as Flags from '@oclif/core/flags';
import {LIMIT_FORMS, type Limits, limitFrom, limitKinds} from '../checks/limits.ts';
import {UsageError} from './usage-error.ts';

const VALUES = {seconds: 'TIME', count: 'N', part: 'PCT'} as const;

/** A flag for each limit. */
export const limitFlags = Object.fromEntries(
  limitKinds.map(({id, unit, description}) => [id, Flags.string({description, helpValue: VALUES[unit]})]),
);

/** The limits that are given. */
export function limitsFrom(flags: Readonly<Record<string, unknown>>): Limits {
  const limits = limitKinds.flatMap(({id, unit}) => {
    const text = flags[id];
    if (typeof text !== 'string') return [];
    const limit = limitFrom(text, unit);
    if (limit === null) throw new UsageError(`--${id} takes ${LIMIT_FORMS[unit].form}, not ${text}`);
    return [[id, limit] as const];
  });
  return Object.fromEntries(limits);
}
