import * as Args from '@oclif/core/args';
import {Command} from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';
import {didYouMean} from './nearest.ts';
import {isTerminal, wantsColor, widthFor} from './terminal.ts';
import {UsageError} from './usage-error.ts';

export class Explain extends Command {
  static override summary = 'Explain a rule: what it sees, why it matters, what to do, when to disbelieve it.';
  static override examples = ['<%= config.bin %> explain mercy-too-long'];
  static override args = {
    rule: Args.string({required: true, ignoreStdin: true, description: 'id of a rule (logdoctor rules lists them)'}),
  };
  static override flags = {
    color: Flags.boolean({allowNo: true, description: 'colours, or none'}),
  };

  async run(): Promise<void> {
    const {args, flags} = await this.parse(Explain);
    const [{rules}, {rulePage}] = await Promise.all([import('../rules/index.ts'), import('../report/rule-page.ts')]);
    const rule = rules.find(({id}) => id === args.rule);
    if (rule === undefined) {
      const ids = rules.map(({id}) => id);
      throw new UsageError(`there is no rule ${args.rule}${didYouMean(args.rule, ids)}\nlogdoctor rules lists all of them`);
    }
    const toTerminal = isTerminal(1);
    const color = wantsColor(flags.color, process.env, toTerminal);
    process.stdout.write(rulePage(rule, {width: widthFor(toTerminal ? process.stdout.columns : undefined), color}));
  }
}
