import type {Config} from '@oclif/core/config';
import {CommandHelp, Help} from '@oclif/core/help';
import {didYouMean} from './nearest.ts';
import {UsageError} from './usage-error.ts';

/** What most people come for, in the order in which they need it. */
const EXAMPLES = `Why did the reload hang?
  $ <%= config.bin %> uwsgi.log
  $ journalctl -u app -o short-iso | <%= config.bin %>

Where did the seconds go?
  $ <%= config.bin %> timeline uwsgi.log

What does a finding mean?
  $ <%= config.bin %> explain app-threads-block-shutdown`;

const MORE = `<%= config.bin %> COMMAND --help tells of a command, man <%= config.bin %> of all of them.
Exit codes: 0 nothing at or above --fail-on, 1 findings, 2 could not run, 3 not understood,
130 interrupted.`;

/** Help of a command: examples first, for most readers need no more. */
class ExamplesFirst extends CommandHelp {
  protected override sections(): ReturnType<CommandHelp['sections']> {
    const sections = super.sections();
    const isExamples = ({header}: {readonly header: string}) => header === 'EXAMPLES';
    return [...sections.filter(isExamples), ...sections.filter((section) => !isExamples(section))];
  }

  /** Without the summary, which stands above everything. */
  protected override description(): string | undefined {
    const {description} = this.command;
    return description === undefined ? undefined : this.wrap(this.render(description));
  }
}

class ProgramHelp extends Help {
  protected override CommandHelpClass = ExamplesFirst;

  override async showHelp(argv: string[]): Promise<void> {
    const subject = argv.find((word) => !word.startsWith('-'));
    if (subject !== undefined && this.config.findCommand(subject) === undefined)
      throw new UsageError(`there is no command ${subject}${didYouMean(subject, this.config.commandIDs)}`);
    await super.showHelp(argv);
  }

  override formatRoot(): string {
    const {description = ''} = this.config.pjson.oclif;
    const usage = `$ ${this.config.bin} [COMMAND] [INPUT...]`;
    return [description, this.section('EXAMPLES', this.render(EXAMPLES)), this.section('USAGE', usage)].join('\n\n');
  }

  override formatCommands(commands: Parameters<Help['formatCommands']>[0]): string {
    return [super.formatCommands(commands), this.section('MORE', this.render(MORE))].join('\n\n');
  }
}

/** Help on the command that the words name, or on the program. */
export async function showHelp(config: Config, words: readonly string[]): Promise<void> {
  await config.load();
  await new ProgramHelp(config, config.pjson.oclif.helpOptions).showHelp([...words]);
}
