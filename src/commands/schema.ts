import * as Args from '@oclif/core/args';
import {Command} from '@oclif/core/command';
import {didYouMean} from './nearest.ts';
import {UsageError} from './usage-error.ts';

/** What is described, by the name that asks for it. */
const SCHEMAS: Readonly<Record<string, () => Promise<object>>> = {
  report: async () => (await import('../report/schema.ts')).schema,
  check: async () => (await import('../report/schema.ts')).checkSchema,
  simulation: async () => (await import('../report/schema.ts')).simulationSchema,
  config: async () => {
    const [{settingsSchema}, {rules}] = await Promise.all([import('../checks/settings.ts'), import('../rules/index.ts')]);
    return settingsSchema(rules.map(({id}) => id));
  },
  baseline: async () => (await import('../checks/baseline.ts')).baselineSchema,
  compare: async () => (await import('../report/schema.ts')).compareSchema,
};

export class Schema extends Command {
  static override summary = 'Print a JSON Schema: of the report that --json gives, or of another file.';
  static override examples = [
    '<%= config.bin %> schema',
    {description: 'For the editor', command: '<%= config.bin %> schema config > logdoctor.config.schema.json'},
  ];
  static override args = {
    of: Args.string({ignoreStdin: true, default: 'report', description: `of what: ${Object.keys(SCHEMAS).join(', ')}`}),
  };

  async run(): Promise<void> {
    const {args} = await this.parse(Schema);
    const schema = SCHEMAS[args.of];
    const names = Object.keys(SCHEMAS);
    if (schema === undefined) {
      throw new UsageError(`there is no schema ${args.of}${didYouMean(args.of, names) || `; there are ${names.join(', ')}`}`);
    }
    process.stdout.write(`${JSON.stringify(await schema(), null, 2)}\n`);
  }
}
