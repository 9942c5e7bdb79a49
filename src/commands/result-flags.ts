import * as Flags from '@oclif/core/flags';

/** The flags of the commands that print a result in one of `formats`: what they write, where to, and in which colours. */
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
    color: Flags.boolean({allowNo: true, description: 'colours, or none; else as the terminal, NO_COLOR and FORCE_COLOR say'}),
  };
}
