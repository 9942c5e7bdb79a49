import {Command, Flags} from '@oclif/core';

/** What the reader unpacks by itself; the rest is named with the program that unpacks it. */
const COMPRESSION = 'gzip, zstd, xz and bzip2, known by content and not by name';

export class Formats extends Command {
  static override summary = 'List what can be read.';
  static override flags = {json: Flags.boolean({description: 'as JSON'})};

  async run(): Promise<void> {
    const {flags} = await this.parse(Formats);
    const [{formats}, {reporters}] = await Promise.all([import('../formats/index.ts'), import('../report/index.ts')]);
    const read = formats.map(({id, title}) => ({id, title}));
    const written = reporters.map(({name, title}) => ({name, title}));
    process.stdout.write(
      flags.json
        ? `${JSON.stringify({read, compression: COMPRESSION, written}, null, 2)}\n`
        : [
            'Read',
            ...read.map(({id, title}) => `  ${id.padEnd(12)}${title}`),
            `  ${'packed'.padEnd(12)}${COMPRESSION}`,
            '',
            'Written (--format)',
            ...written.map(({name, title}) => `  ${name.padEnd(12)}${title}`),
            '',
          ].join('\n'),
    );
  }
}
