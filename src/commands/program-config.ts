import {Config} from '@oclif/core/config';
import {commands} from './index.ts';

/**
 * What oclif knows of the program. {@link load} describes every command, for help and completion, and takes half as long as Node
 * takes to start; a command that runs needs no more than is here.
 */
export class ProgramConfig extends Config {
  override get commandIDs(): string[] {
    return Object.keys(commands);
  }

  /** The program has no hooks. */
  override async runHook(): Promise<{failures: never[]; successes: never[]}> {
    return {failures: [], successes: []};
  }
}
