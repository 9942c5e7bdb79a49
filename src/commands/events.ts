import {Command} from '@oclif/core/command';
import {end, failOnFlag, read, readingArgs, readingFlags} from './reading.ts';

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
  static override flags = {...readingFlags, 'fail-on': failOnFlag('never')};

  async run(): Promise<void> {
    const {args, flags} = await this.parse(Events);
    const reading = await read(this, args.input as readonly string[] | undefined, flags);
    if (reading === null) return;
    const {eventLines} = await import('../report/event-line.ts');
    let batch: string[] = [];
    for (const line of eventLines(reading.diagnosis.timeline)) {
      batch.push(line);
      if (batch.length < BATCH) continue;
      process.stdout.write(batch.join(''));
      batch = [];
    }
    process.stdout.write(batch.join(''));
    end(reading.exitCode);
  }
}
