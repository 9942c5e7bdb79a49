import {Command} from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';
import {isTerminal, widthFor} from './terminal.ts';

/** What the reader unpacks by itself; the rest is named with the program that unpacks it. */
const COMPRESSION = 'gzip, zstd, xz and bzip2, known by content and not by name';

export class Formats extends Command {
  static override summary = 'List what can be read; formats why FILE tells why a file was read as it was.';
  static override usage = ['formats', 'formats why [INPUT...]'];
  static override flags = {json: Flags.boolean({description: 'as JSON'})};

  async run(): Promise<void> {
    const {flags} = await this.parse(Formats);
    const [{envelopeNames, formats}, {reporters}, {wrap}] = await Promise.all([
      import('../formats/index.ts'),
      import('../report/index.ts'),
      import('../report/wrap.ts'),
    ]);
    const read = formats.map(({id, title}) => ({id, title}));
    const written = reporters.map(({name, title}) => ({name, title}));
    const width = widthFor(isTerminal(1) ? process.stdout.columns : undefined);
    process.stdout.write(
      flags.json
        ? `${JSON.stringify({read, envelopes: envelopeNames, compression: COMPRESSION, written}, null, 2)}\n`
        : [
            'Read (--supervisor)',
            ...formats.filter(({isApplication}) => !isApplication).map(({id, title}) => wrap(title, width, `  ${id.padEnd(12)}`)),
            ...formats.filter(({isApplication}) => isApplication).map(({title}) => wrap(title, width, '  and in any case ')),
            '',
            'Inside (--envelope)',
            wrap(envelopeNames.join(', '), width, '  '),
            '',
            'Packed with',
            wrap(COMPRESSION, width, '  '),
            '',
            'Written (--format)',
            ...written.map(({name, title}) => wrap(title, width, `  ${name.padEnd(12)}`)),
            '',
          ].join('\n'),
    );
  }
}
