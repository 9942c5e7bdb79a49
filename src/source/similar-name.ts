/** The name among `names` that was probably meant: differs in letters' case, a letter or two, or an ending. */
export function similarName(name: string, names: readonly string[]): string | undefined {
  const wanted = name.toLowerCase();
  const most = name.length < 4 ? 1 : 2;
  let best: string | undefined;
  let least = most + 1;
  for (const candidate of names) {
    const distance = candidate.startsWith(name) ? 1 : editDistance(wanted, candidate.toLowerCase(), most);
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

/** Insertions, deletions and replacements; anything above `most` is `most + 1`. */
function editDistance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let last = Array.from({length: b.length + 1}, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      row.push(Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + same));
    }
    last = row;
  }
  return Math.min(last[b.length] ?? 0, most + 1);
}
