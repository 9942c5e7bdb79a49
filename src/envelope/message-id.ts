/**
 * What a message of systemd is by its MESSAGE_ID (man 7 systemd.journal-fields; src/systemd/sd-messages.h), which holds in every
 * version and for every StatusUnitFormat. The field UNIT names the unit that the text may call by its description alone.
 */
const JOBS: Readonly<Record<string, readonly [beginning: string, end: string]>> = {
  '7d4958e842da4a758f6c1cdc7b36dcc5': ['Starting ', '...'],
  '39f53479d3a045ac8e11786248231fbf': ['Started ', '.'],
  be02cf6855d2428ba40df7e9d022f03d: ['Failed to start ', '.'],
  de5b426a63be47a7b6ac3eaac82e2f6f: ['Stopping ', '...'],
  '9d1aaa27d60140bd96365438aad20286': ['Stopped ', '.'],
  d34d037fff1847e6ae669a370e694725: ['Reloading ', '...'],
  '7b05ebc668384222baa8881179cfda54': ['Reloaded ', '.'],
};

/** The text with the unit's name in it, as StatusUnitFormat=combined writes it; as it is where that is not known. */
export function withUnit(fields: Readonly<Record<string, unknown>>, text: string): string {
  const unit = fields['UNIT'] ?? fields['USER_UNIT'];
  const job = JOBS[String(fields['MESSAGE_ID'] ?? '')];
  if (job === undefined || typeof unit !== 'string' || text.includes(unit)) return text;
  const [beginning, end] = job;
  const isUsual = text.startsWith(beginning) && text.endsWith(end);
  // Of a unit that only runs once: it says more.
  if (text.startsWith('Finished ')) return text;
  const description = isUsual ? ` - ${text.slice(beginning.length, -end.length)}` : '';
  return `${beginning}${unit}${description}${end}`;
}
