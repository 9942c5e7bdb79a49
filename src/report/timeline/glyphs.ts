import type {State} from '../../measures/life.ts';
import type {MarkKind} from './picture.ts';

/** The characters of a terminal picture. They tell the states apart by their shape: colour only helps. */
export interface Glyphs {
  readonly states: Readonly<Record<State, string>>;
  /** One state or another: the log does not tell when it changed. */
  readonly either: string;
  readonly marks: Readonly<Record<MarkKind, string>>;
  readonly line: string;
  readonly tick: string;
  /** Goes on at the same height. */
  readonly level: string;
  readonly openBefore: string;
  readonly openAfter: string;
  readonly arrow: string;
  /** Stands for what was left out of a word. */
  readonly cut: string;
  /** A line of text in these characters. */
  readonly write: (text: string) => string;
}

const LETTERS: Readonly<Record<MarkKind, string>> = {
  trigger: 'B',
  again: 'A',
  kill: 'X',
  crash: '!',
  're-executed': 'M',
  spawn: 'N',
  complete: 'C',
};

export const UNICODE: Glyphs = {
  states: {serving: '█', asked: '▒', starting: '▂', gone: '·', unknown: '?'},
  either: '░',
  marks: LETTERS,
  line: '─',
  tick: '┬',
  level: '─',
  openBefore: '◂',
  openAfter: '▸',
  arrow: ' → ',
  cut: '…',
  write: (text) => text,
};

export const ASCII: Glyphs = {
  states: {serving: '#', asked: '-', starting: '+', gone: '.', unknown: '?'},
  either: '~',
  marks: LETTERS,
  line: '-',
  tick: '+',
  level: '=',
  openBefore: '<',
  openAfter: '>',
  arrow: ' -> ',
  cut: '~',
  write: (text) => text.replace(/[–×≥≤…→·]/g, (character) => PLAIN[character] ?? '?').replace(/[^\n\u00a0 -~]/g, '?'),
};

const PLAIN: Readonly<Record<string, string>> = {'–': '-', '×': 'x', '≥': '>=', '≤': '<=', '…': '...', '→': '->', '·': '-'};
