import {Command} from '@oclif/core';

export class Schema extends Command {
  static override summary = 'Print the JSON Schema of the report that --json gives.';

  async run(): Promise<void> {
    await this.parse(Schema);
    const {schema} = await import('../report/schema.ts');
    process.stdout.write(`${JSON.stringify(schema, null, 2)}\n`);
  }
}
