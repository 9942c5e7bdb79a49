/** How counts are written. Neither layer nor language: whatever speaks of numbers speaks alike. */

/** `1204` -> `1,204`, whatever the locale of the machine. By hand: the first use of the language's own way costs a start 10 ms. */
export function thousands(value: number): string {
  const [whole = '', ...fraction] = String(value).split('.');
  return [whole.replace(/\B(?=(?:\d{3})+$)/g, ','), ...fraction].join('.');
}

/** `1 worker`, `1,204 workers`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${thousands(count)} ${count === 1 ? one : many}`;
}
