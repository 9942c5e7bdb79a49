import type {Piece} from '../../measures/piece.ts';
import type {Frame} from './frame.ts';

/** Divides a frame into columns of equal length. */
export interface Columns {
  readonly count: number;
  /** The column that a moment falls into; the nearest for one outside. */
  readonly of: (at: number) => number;
  readonly start: (column: number) => number;
}

export function columnsOf({from, to}: Frame, count: number): Columns {
  const length = (to - from) / count;
  return {
    count,
    of: (at) => Math.min(count - 1, Math.max(0, Math.floor((at - from) / length))),
    start: (column) => from + column * length,
  };
}

/**
 * What each column shows: the piece that fills most of it. A piece too short to win any column gets the one it lies in all the same,
 * if what is there has others: whatever happened is to be seen.
 */
export function shownIn<Part extends Pick<Piece, 'from' | 'to'>>(
  parts: readonly Part[],
  columns: Columns,
): readonly (Part | null)[] {
  const shown: (Part | null)[] = new Array(columns.count).fill(null);
  const most: number[] = new Array(columns.count).fill(0);
  for (const part of parts) {
    for (let column = columns.of(part.from); column <= columns.of(part.to - 1); column++) {
      const overlap = Math.min(part.to, columns.start(column + 1)) - Math.max(part.from, columns.start(column));
      if (overlap > (most[column] ?? 0)) [shown[column], most[column]] = [part, overlap];
    }
  }
  const won = new Map<Part, number>();
  for (const part of shown) if (part !== null) won.set(part, (won.get(part) ?? 0) + 1);
  for (const part of parts) {
    if (won.has(part)) continue;
    const column = columns.of((part.from + part.to) / 2);
    const holder = shown[column] ?? null;
    const left = holder === null ? 2 : (won.get(holder) ?? 0);
    if (left < 2) continue;
    if (holder !== null) won.set(holder, left - 1);
    shown[column] = part;
    won.set(part, 1);
  }
  return shown;
}

/** Fewer parts where there are more than a picture can show: what fills each column, neighbours that are the same put together. */
export function coarse<Part extends Pick<Piece, 'from' | 'to'>>(parts: readonly Part[], columns: Columns): readonly Part[] {
  if (parts.length <= columns.count) return parts;
  const merged: Part[] = [];
  let last: Part | null = null;
  for (const [column, part] of shownIn(parts, columns).entries()) {
    const to = columns.start(column + 1);
    const before = merged.at(-1);
    if (part !== null && part === last && before !== undefined) merged[merged.length - 1] = {...before, to};
    else if (part !== null) merged.push({...part, from: columns.start(column), to});
    last = part;
  }
  return merged;
}
