import type {Comparison} from '../../checks/compare.ts';
import type {RenderOptions} from '../reporter.ts';

/** A way to write down a comparison. A pure function of its arguments. */
export interface CompareReporter {
  /** What `--format` calls it. */
  readonly name: string;
  render(comparison: Comparison, options: RenderOptions): string;
}
