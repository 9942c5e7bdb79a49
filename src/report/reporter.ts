import type {Diagnosis} from '../analyze.ts';

/** A way to write a diagnosis down. A pure function of its arguments: the same diagnosis gives the same bytes. */
export interface Reporter {
  /** What `--format` calls it. */
  readonly name: string;
  /** What it is for, in a few words. */
  readonly title: string;
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
}
