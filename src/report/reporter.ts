import type {Diagnosis} from '../analyze.ts';
import type {FailOn} from '../severity.ts';

/** A way to write a diagnosis down. A pure function of its arguments: the same diagnosis gives the same bytes. */
export interface Reporter {
  /** What `--format` calls it. */
  readonly name: string;
  render(diagnosis: Diagnosis, options: RenderOptions): string;
}

/** What the place of output allows and the user wants. Reporters for programs ignore it. */
export interface RenderOptions {
  /** Columns. */
  readonly width: number;
  readonly color: boolean;
  /** Only what was found and the verdict. */
  readonly quiet: boolean;
  /** List what every rule answered. */
  readonly showRules: boolean;
  /** Findings of this severity or above are failures, where a format tells failures from remarks. `error` where it is left out. */
  readonly failOn?: FailOn;
  /** Where output is a terminal that can follow links: the address of an input by its name, or null where it has none. */
  readonly linkTo?: (input: string) => string | null;
}
