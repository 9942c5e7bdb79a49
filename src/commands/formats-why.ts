import {Command} from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';
import {printable} from '../report/escape.ts';
import {EXIT_NOT_UNDERSTOOD, EXIT_TROUBLE} from './exit-code.ts';
import {interruptible} from './interrupt.ts';
import {choosingFlags, hasNothingToRead, readingArgs} from './reading.ts';
import {isTerminal, wantsColor, widthFor} from './terminal.ts';

export class FormatsWhy extends Command {
  static override summary = 'Tell why a file was read the way it was.';
  static override description =
    'What was tried, on how many lines each envelope and each supervisor matched, what each source was read as and why, where ' +
    'the first lines that nobody knew stop matching, and the flags that force another choice. Exit code 0: something was ' +
    'recognised; 2: could not run; 3: nothing was.';
  static override hidden = true;
  static override examples = ['<%= config.bin %> formats why uwsgi.log', 'journalctl -u app | <%= config.bin %> formats why'];
  static override args = readingArgs;
  static override flags = {
    json: Flags.boolean({description: 'as JSON'}),
    ...choosingFlags,
    color: Flags.boolean({allowNo: true, description: 'colours, or none'}),
  };

  async run(): Promise<void> {
    const {args, flags} = await this.parse(FormatsWhy);
    const inputs = args.input as readonly string[] | undefined;
    if (await hasNothingToRead(this, inputs)) return;
    const [{Recorder}, {Inquiry}, {ClosestFinder}, {readInputs}, {inquiryJson, inquiryText}, {paint}] = await Promise.all([
      import('../recorder/recorder.ts'),
      import('../recorder/inquiry.ts'),
      import('../recorder/closest.ts'),
      import('../source/inputs.ts'),
      import('../report/inquiry.ts'),
      import('../report/paint.ts'),
    ]);
    const witness = new Inquiry();
    const forced = {supervisors: flags.supervisor, envelopes: flags.envelope};
    const recorder = await Recorder.create('compiled', {...forced, witness});
    const interrupt = interruptible();
    const errors = await readInputs(inputs ?? ['-'], recorder, {signal: interrupt.signal});
    interrupt.release();
    for (const {message} of errors) this.logToStderr(`logdoctor: ${printable(message)}`);
    const summaries = recorder.finish().inputs;
    const explained = summaries.map((summary, index) => {
      const inquiry = witness.of(index);
      const finder = new ClosestFinder([...(inquiry?.programs.keys() ?? [])]);
      return {summary, inquiry, closest: (inquiry?.missed ?? []).map(({text}) => finder.closestTo(text))};
    });
    const toTerminal = isTerminal(1);
    const width = widthFor(toTerminal ? process.stdout.columns : undefined);
    const options = {width, paint: paint(wantsColor(flags.color, process.env, toTerminal))};
    if (explained.length > 0)
      process.stdout.write(
        flags.json ? `${JSON.stringify(inquiryJson(explained, forced), null, 2)}\n` : inquiryText(explained, forced, options),
      );
    const isUnderstood = summaries.every(({counts}) => counts.events + counts.requests > 0);
    process.exitCode = errors.length > 0 ? EXIT_TROUBLE : isUnderstood ? 0 : EXIT_NOT_UNDERSTOOD;
  }
}
