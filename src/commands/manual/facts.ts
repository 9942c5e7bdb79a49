/** What the commands say about themselves, as plain data: the one source of the reference, the manual page and completion. */

export interface CommandFacts {
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  readonly examples: readonly ExampleFacts[];
  readonly args: readonly ArgFacts[];
  readonly flags: readonly FlagFacts[];
}

interface ExampleFacts {
  readonly description: string;
  readonly command: string;
}

export interface ArgFacts {
  readonly name: string;
  readonly description: string;
  readonly multiple: boolean;
  readonly required: boolean;
  /** The only values that make sense; empty where any does, such as a file. */
  readonly values: readonly string[];
}

export interface FlagFacts {
  readonly name: string;
  readonly char: string | null;
  readonly description: string;
  /** What stands for its value in usage lines; null for a switch. */
  readonly value: string | null;
  readonly values: readonly string[];
  readonly fallback: string | null;
  /** `--no-NAME` exists as well. */
  readonly negatable: boolean;
  readonly multiple: boolean;
}

/** The parts of an oclif command that are read here. */
interface Describable {
  readonly summary?: string | undefined;
  readonly description?: string | undefined;
  readonly hidden?: boolean | undefined;
  readonly examples?: readonly unknown[] | undefined;
  readonly args?: Readonly<Record<string, object>> | undefined;
  readonly flags?: Readonly<Record<string, object>> | undefined;
}

/** Values that are known only by asking other parts of the program, by the name of an argument or flag. */
type KnownValues = (command: string, name: string) => readonly string[];

/** @param bin what stands for the program in examples */
export function factsOf(
  commands: Readonly<Record<string, Describable>>,
  bin: string,
  known: KnownValues = () => [],
): readonly CommandFacts[] {
  return Object.entries(commands)
    .filter(([, {hidden}]) => hidden !== true)
    .map(([name, {summary = '', description = '', examples = [], args = {}, flags = {}}]) => ({
      name,
      summary,
      description,
      examples: examples.map((example) => exampleOf(example as Example, bin)),
      args: Object.entries(args)
        .map(([arg, definition]) => [arg, definition as Definition] as const)
        .map(([arg, {description = '', multiple = false, required = false, options = known(name, arg)}]) => ({
          name: arg,
          description,
          multiple,
          required,
          values: options,
        })),
      flags: Object.entries(flags)
        .map(([flag, definition]) => [flag, definition as Definition] as const)
        .filter(([, {hidden}]) => hidden !== true)
        .map(([flag, definition]) => flagOf(flag, definition, known(name, flag)))
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
    }));
}

interface Definition {
  readonly type?: 'option' | 'boolean';
  readonly char?: string;
  readonly description?: string;
  readonly helpValue?: string;
  readonly hidden?: boolean;
  readonly multiple?: boolean;
  readonly required?: boolean;
  readonly allowNo?: boolean;
  readonly options?: readonly string[];
  readonly default?: unknown;
}

type Example = string | {readonly description: string; readonly command: string};

function exampleOf(example: Example, bin: string): ExampleFacts {
  const {description, command} = typeof example === 'string' ? {description: '', command: example} : example;
  return {description, command: command.replaceAll('<%= config.bin %>', bin)};
}

function flagOf(name: string, definition: Definition, known: readonly string[]): FlagFacts {
  const {type, char = null, description = '', helpValue, options = [], multiple = false, allowNo = false} = definition;
  const {default: fallback} = definition;
  return {
    name,
    char,
    description,
    value: type === 'boolean' ? null : (helpValue ?? (options.length > 0 ? options.join('|') : 'VALUE')),
    values: options.length > 0 ? options : known,
    fallback: typeof fallback === 'string' || typeof fallback === 'number' ? String(fallback) : null,
    negatable: allowNo,
    multiple,
  };
}

/** `-o, --output=PATH`, `--[no-]color` */
export function spelled({name, char, value, negatable}: FlagFacts): string {
  return `${char === null ? '' : `-${char}, `}--${negatable ? '[no-]' : ''}${name}${value === null ? '' : `=${value}`}`;
}

/** `logdoctor analyze [INPUT...] [flags]` */
export function usage({name, args, flags}: CommandFacts, bin: string): string {
  const words = args.map(({name, multiple, required}) => {
    const word = `${name.toUpperCase()}${multiple ? '...' : ''}`;
    return required ? word : `[${word}]`;
  });
  return [bin, name, ...words, ...(flags.length === 0 ? [] : ['[flags]'])].join(' ');
}
