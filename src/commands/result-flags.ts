import * as Flags from '@oclif/core/flags';

/** The flags of the commands that print a result in one of `formats`: what they write and where to. */
export function resultFlags(formats: readonly string[]) {
  return {
    json: Flags.boolean({description: 'the result as JSON on standard output (the same as --format json)'}),
    format: Flags.string({
      description: `how to report: ${formats.join(', ')}; repeatable, with =PATH into a file`,
      helpValue: 'NAME[=PATH]',
      multiple: true,
      multipleNonGreedy: true,
    }),
    output: Flags.string({char: 'o', description: 'write the result to this file', helpValue: 'PATH'}),
  };
}
