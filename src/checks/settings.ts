import {FAIL_ON, type FailOn} from '../severity.ts';
import {LEVELS, type Level} from './check.ts';
import {documentFrom} from './document.ts';
import {LIMIT_FORMS, type LimitId, type Limits, limitFrom, limitKinds} from './limits.ts';

/** What a project demands of its logs. */
export interface Settings {
  readonly limits: Limits;
  readonly rules: Readonly<Record<string, Level>>;
  readonly failOn: FailOn | undefined;
  readonly strict: boolean;
  /** As it is written: relative to the file. */
  readonly baseline: string | null;
}

/** The JSON Schema of the file, for editors. The reader goes by it too. */
export function settingsSchema(ruleIds: readonly string[]) {
  const limits = limitKinds.map(({id, unit, description}) => {
    const {pattern, form} = LIMIT_FORMS[unit];
    const figure = unit === 'part' ? {maximum: 100} : unit === 'count' ? {multipleOf: 1} : {};
    return [id, {description, $comment: form, type: ['string', 'number'], pattern, minimum: 0, ...figure}] as const;
  });
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'logdoctor.config',
    type: 'object',
    additionalProperties: false,
    properties: {
      $schema: {type: 'string'},
      check: {
        description: 'Assertions of logdoctor check. Flags of the same names go before them',
        type: 'object',
        additionalProperties: false,
        properties: {
          ...Object.fromEntries(limits),
          'fail-on': {description: 'Findings of rules without a level of their own fail from this severity on', enum: FAIL_ON},
          strict: {description: 'What cannot be decided, and what was not measured, fails too', type: 'boolean'},
        },
      },
      rules: {
        description: 'Levels of rules: error breaks the check, warning is shown, off is not looked at',
        $comment: 'rule',
        type: 'object',
        additionalProperties: false,
        properties: Object.fromEntries(ruleIds.map((id) => [id, {enum: LEVELS}])),
      },
      baseline: {description: 'File of accepted findings, relative to this one', type: 'string', minLength: 1},
    },
  };
}

/** @throws {@link DocumentError} where a key is unknown or a value is none */
export function settingsFrom(file: string, text: string, ruleIds: readonly string[]): Settings {
  const {check = {}, rules = {}, baseline = null} = documentFrom(file, text, settingsSchema(ruleIds)) as Written;
  const limits = limitKinds.flatMap(({id, unit}) => {
    const limit = check[id] === undefined ? null : limitFrom(String(check[id]), unit);
    return limit === null ? [] : [[id, limit] as const];
  });
  return {limits: Object.fromEntries(limits), rules, failOn: check['fail-on'], strict: check.strict ?? false, baseline};
}

interface Written {
  readonly check?: Readonly<Partial<Record<LimitId, string | number>>> & {
    readonly 'fail-on'?: FailOn;
    readonly strict?: boolean;
  };
  readonly rules?: Readonly<Record<string, Level>>;
  readonly baseline?: string;
}
