import * as Args from '@oclif/core/args';
import {Command} from '@oclif/core/command';
import {SHELLS, type Shell} from './manual/shells.ts';
import {SIMULATION_FORMATS} from './simulate.ts';
import {TIMELINE_FORMATS} from './timeline.ts';

export class Completion extends Command {
  static override summary = 'Print a script that completes commands, flags and rules in a shell.';
  static override examples = [
    {description: 'bash, in ~/.bashrc', command: 'source <(<%= config.bin %> completion bash)'},
    {description: 'zsh', command: '<%= config.bin %> completion zsh > "$fpath[1]/_<%= config.bin %>"'},
    {description: 'fish', command: '<%= config.bin %> completion fish > ~/.config/fish/completions/<%= config.bin %>.fish'},
  ];
  static override args = {
    shell: Args.string({required: true, ignoreStdin: true, options: [...SHELLS], description: 'the shell'}),
  };

  async run(): Promise<void> {
    const {args} = await this.parse(Completion);
    const [{completionScript}, {factsOf}, {rules}, {reporters}, {checkReporters}, {compareReporters}] = await Promise.all([
      import('./manual/completion.ts'),
      import('./manual/facts.ts'),
      import('../rules/index.ts'),
      import('../report/index.ts'),
      import('../report/check/index.ts'),
      import('../report/compare/index.ts'),
    ]);
    const formats: Readonly<Record<string, readonly string[]>> = {
      analyze: reporters.map((reporter) => reporter.name),
      check: checkReporters.map((reporter) => reporter.name),
      compare: compareReporters.map((reporter) => reporter.name),
      simulate: SIMULATION_FORMATS,
      timeline: TIMELINE_FORMATS,
    };
    await this.config.load();
    const {bin} = this.config;
    const commands = Object.fromEntries(this.config.commands.map((command) => [command.id, command]));
    const facts = factsOf(commands, bin, (command, name) => {
      if (name === 'rule') return rules.map(({id}) => id);
      return name === 'format' ? (formats[command] ?? []) : [];
    });
    process.stdout.write(completionScript(args.shell as Shell, facts, bin, 'analyze'));
  }
}
