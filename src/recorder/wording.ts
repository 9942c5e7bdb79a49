import type {Meaning} from '../timeline/event.ts';

type Fields = Readonly<Record<string, string | number | boolean>>;

/** The fields with their wording replaced by what it stands for: "not expected" -> false. */
export function fieldsInValues(meaning: Meaning, fields: Fields): Fields {
  if (meaning.values === undefined) return fields;
  const entries = Object.entries(fields).map(([field, text]) => [field, meaning.values?.[field]?.[String(text)] ?? text]);
  return Object.fromEntries(entries);
}

/** The meaning of this very message, where its own words change it. */
export function meaningInContext(meaning: Meaning, fields: Fields): Meaning {
  if (meaning.when === undefined && meaning.causes === undefined) return meaning;
  let told = meaning;
  for (const [field, cases] of Object.entries(meaning.when ?? {})) told = {...told, ...cases[String(fields[field])]};
  const reason = fields['reason'];
  if (meaning.causes === undefined || reason === undefined) return told;
  const [, cause] = meaning.causes.find(([beginning]) => String(reason).startsWith(beginning)) ?? [];
  return cause === undefined ? told : {...told, cause};
}
