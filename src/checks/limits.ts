import type {Measure, MeasureId} from '../measures/measure.ts';

/** A bound that a measure is held against. */
export interface LimitKind {
  /** As the flag and the key of the configuration are called. */
  readonly id: LimitId;
  readonly measure: MeasureId;
  readonly unit: Measure['unit'];
  readonly isLeast: boolean;
  readonly description: string;
}

export const LIMIT_IDS = [
  'max-reload',
  'max-stop',
  'max-wait',
  'max-downtime',
  'max-forced',
  'max-orphans',
  'min-coverage',
] as const;
export type LimitId = (typeof LIMIT_IDS)[number];

/** Seconds, a number of things, or a part from 0 to 1, as the measure has it. */
export type Limits = Readonly<Partial<Record<LimitId, number>>>;

export const limitKinds: readonly LimitKind[] = [
  {id: 'max-reload', measure: 'longest-reload', unit: 'seconds', isLeast: false, description: 'longest that a reload may take'},
  {id: 'max-stop', measure: 'longest-stop', unit: 'seconds', isLeast: false, description: 'longest that a stop may take'},
  {
    id: 'max-wait',
    measure: 'longest-wait',
    unit: 'seconds',
    isLeast: false,
    description: 'longest that a worker may take to leave after it was asked',
  },
  {
    id: 'max-downtime',
    measure: 'downtime',
    unit: 'seconds',
    isLeast: false,
    description: 'time in which no worker may be there to serve, all together',
  },
  {
    id: 'max-forced',
    measure: 'forced-kills',
    unit: 'count',
    isLeast: false,
    description: 'processes that may be killed because patience ran out',
  },
  {
    id: 'max-orphans',
    measure: 'orphaned-tasks',
    unit: 'count',
    isLeast: false,
    description: 'background tasks that may be lost with their process',
  },
  {
    id: 'min-coverage',
    measure: 'coverage',
    unit: 'part',
    isLeast: true,
    description: 'part of the lines that must be understood',
  },
];

/** What a limit of this unit looks like; the beginning of a sentence that refuses another. */
export const LIMIT_FORMS: Readonly<Record<Measure['unit'], {readonly pattern: string; readonly form: string}>> = {
  seconds: {
    pattern: '^(?=.)(\\d+(\\.\\d+)? ?h)? ?(\\d+(\\.\\d+)? ?m(in)?)? ?(\\d+(\\.\\d+)? ?s?)?$|^\\d+(\\.\\d+)? ?ms$',
    form: 'a time such as 30s, 2m, 1m30s or 500ms; a figure alone is seconds',
  },
  count: {pattern: '^\\d+$', form: 'a whole number from 0'},
  part: {pattern: '^(100(\\.0+)?|\\d{1,2}(\\.\\d+)?) ?%?$', form: 'a percentage from 0 to 100'},
};

/** Null where the text is no such limit. */
export function limitFrom(text: string, unit: Measure['unit']): number | null {
  if (!new RegExp(LIMIT_FORMS[unit].pattern).test(text)) return null;
  if (unit === 'count') return Number(text);
  if (unit === 'part') return Number(text.replace(/ ?%$/, '')) / 100;
  const total = [...text.matchAll(/(\d+(?:\.\d+)?) ?(h|min|ms|m|s)?/g)].reduce(
    (sum, [, figure, of]) => sum + Number(figure) * (SECONDS_IN[of ?? 's'] as number),
    0,
  );
  return Math.round(total * 1000) / 1000;
}

const SECONDS_IN: Readonly<Record<string, number>> = {h: 3600, min: 60, m: 60, s: 1, ms: 0.001};
