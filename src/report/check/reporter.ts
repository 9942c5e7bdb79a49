import type {Diagnosis} from '../../analyze.ts';
import type {Check} from '../../checks/check.ts';
import type {RenderOptions} from '../reporter.ts';

/** A way to write down what a check came to. A pure function of its arguments. */
export interface CheckReporter {
  /** What `--format` calls it. */
  readonly name: string;
  render(check: Check, diagnosis: Diagnosis, options: RenderOptions): string;
}
