import {Command} from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';
import {isTerminal, widthFor} from './terminal.ts';

export class Rules extends Command {
  static override summary = 'List all rules.';
  static override flags = {json: Flags.boolean({description: 'as JSON, with their documentation'})};

  async run(): Promise<void> {
    const {flags} = await this.parse(Rules);
    const [{rules}, {ruleList, rulesJson}] = await Promise.all([import('../rules/index.ts'), import('../report/rule-list.ts')]);
    const width = widthFor(isTerminal(1) ? process.stdout.columns : undefined);
    process.stdout.write(flags.json ? rulesJson(rules) : ruleList(rules, width));
  }
}
