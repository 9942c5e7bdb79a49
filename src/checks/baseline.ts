import type {RuleFinding} from '../rules/rule.ts';
import {documentFrom} from './document.ts';

/** A finding that a team has accepted: known by its fingerprint, with a reason and, where it is to end, a date. */
export interface BaselineEntry {
  readonly fingerprint: string;
  readonly rule: string;
  readonly title: string;
  readonly reason: string;
  /** The last day on which it is accepted, as `2027-01-31`; null where it has no end. */
  readonly expires: string | null;
}

export interface Baseline {
  /** As it was named. */
  readonly file: string;
  readonly entries: readonly BaselineEntry[];
}

/** An entry and the finding that it is about. */
export interface Acceptance {
  readonly entry: BaselineEntry;
  readonly finding: RuleFinding;
}

/** What a baseline did to the findings of one log. */
export interface BaselineUse {
  readonly file: string;
  readonly accepted: readonly Acceptance[];
  /** Past their last day: their findings count again. */
  readonly expired: readonly Acceptance[];
  /** Entries without a finding in this log. */
  readonly stale: readonly BaselineEntry[];
}

const DAY = '^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])$';

/** The JSON Schema of the file. */
export const baselineSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'logdoctor baseline',
  type: 'object',
  required: ['schemaVersion', 'accepted'],
  additionalProperties: false,
  properties: {
    $schema: {type: 'string'},
    schemaVersion: {const: 1, $comment: '1'},
    accepted: {
      description: 'Findings that do not count',
      type: 'array',
      items: {
        type: 'object',
        required: ['fingerprint', 'rule', 'reason'],
        additionalProperties: false,
        properties: {
          fingerprint: {type: 'string', pattern: '^[0-9a-f]{16}$', $comment: '16 hexadecimal digits, as in the JSON report'},
          rule: {type: 'string'},
          title: {description: 'For people; the fingerprint decides', type: 'string'},
          reason: {description: 'Why it is accepted', type: 'string', minLength: 1, $comment: 'a few words'},
          expires: {
            description: 'The last day on which it is accepted',
            type: ['string', 'null'],
            pattern: DAY,
            $comment: 'a day such as 2027-01-31',
          },
        },
      },
    },
  },
};

/** @throws {@link DocumentError} where the text is no baseline */
export function baselineFrom(file: string, text: string): Baseline {
  const {accepted} = documentFrom(file, text, baselineSchema) as {
    readonly accepted: readonly (Pick<BaselineEntry, 'fingerprint' | 'rule' | 'reason'> & Partial<BaselineEntry>)[];
  };
  return {file, entries: accepted.map((entry) => ({title: '', expires: null, ...entry}))};
}

/** @param today as `2026-11-21`: an entry holds up to and on its last day */
export function useBaseline(
  {file, entries}: Baseline,
  findings: readonly RuleFinding[],
  today: string,
): {readonly left: readonly RuleFinding[]; readonly use: BaselineUse} {
  const byFingerprint = new Map(findings.map((finding) => [finding.fingerprint, finding]));
  const stale: BaselineEntry[] = [];
  const [accepted, expired]: Acceptance[][] = [[], []];
  for (const entry of entries) {
    const finding = byFingerprint.get(entry.fingerprint);
    if (finding === undefined) stale.push(entry);
    else if (entry.expires !== null && entry.expires < today) expired?.push({entry, finding});
    else accepted?.push({entry, finding});
  }
  const gone = new Set(accepted?.map(({finding}) => finding));
  return {
    left: findings.filter((finding) => !gone.has(finding)),
    use: {file, accepted: accepted ?? [], expired: expired ?? [], stale},
  };
}

/** The text of a baseline that accepts these findings. Entries that are about one of them stay as they are; the others go. */
export function baselineText(findings: readonly RuleFinding[], before: Baseline | null, reason: string): string {
  const known = new Map(before?.entries.map((entry) => [entry.fingerprint, entry]));
  const accepted = findings.map(({fingerprint, rule, title}): BaselineEntry => {
    const entry = known.get(fingerprint);
    return {fingerprint, rule, title, reason: entry?.reason ?? reason, expires: entry?.expires ?? null};
  });
  return `${JSON.stringify({schemaVersion: 1, accepted}, null, 2)}\n`;
}
