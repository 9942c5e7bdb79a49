import {appendFileSync} from 'node:fs';
import {Command} from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';
import {writeText} from './output.ts';
import {end, failOnFlag, quietFlag, read, readingArgs, readingFlags} from './reading.ts';

/** Lines of output that are handed to the system at once. */
const BATCH = 1000;

export class Events extends Command {
  static override summary = 'Print the recognised events, one JSON object a line, for other programs.';
  static override examples = [
    {
      description: 'Who was killed for want of mercy',
      command: `<%= config.bin %> events uwsgi.log | jq 'select(.message == "uwsgi/no-mercy")'`,
    },
  ];
  static override args = readingArgs;
  static override flags = {
    json: Flags.boolean({description: 'JSON Lines, which is what is written in any case'}),
    output: Flags.string({char: 'o', description: 'write the events to this file', helpValue: 'PATH'}),
    ...readingFlags,
    quiet: quietFlag,
    'fail-on': failOnFlag('never'),
  };

  async run(): Promise<void> {
    const {args, flags} = await this.parse(Events);
    const reading = await read(this, args.input as readonly string[] | undefined, flags);
    if (reading === null) return;
    const {eventLines} = await import('../report/event-line.ts');
    const {output} = flags;
    if (output !== undefined) writeText(output, '');
    const write = (lines: readonly string[]) =>
      output === undefined ? process.stdout.write(lines.join('')) : appendFileSync(output, lines.join(''));
    let batch: string[] = [];
    for (const line of eventLines(reading.diagnosis.timeline)) {
      batch.push(line);
      if (batch.length < BATCH) continue;
      write(batch);
      batch = [];
    }
    write(batch);
    end(reading.exitCode);
  }
}
