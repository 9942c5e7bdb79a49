import {Command} from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';
import type {Wish} from '../simulation/settings.ts';
import {didYouMean} from './nearest.ts';
import {placesOf, writeResults} from './output.ts';
import {end, failOnFlag, read, readingArgs, readingFlags} from './reading.ts';
import {resultFlags} from './result-flags.ts';
import {UsageError} from './usage-error.ts';

export const SIMULATION_FORMATS = ['text', 'json'] as const;

export class Simulate extends Command {
  static override summary = 'Replay the recorded reloads under other settings.';
  static override description =
    'Says for each reload and stop of the log what its workers would have waited, and how many would have been killed, had the ' +
    'settings been others; and what the log cannot tell.';
  static override examples = [
    {description: 'A shorter mercy', command: '<%= config.bin %> simulate uwsgi.log --set worker-reload-mercy=5'},
  ];
  static override args = readingArgs;
  static override flags = {
    set: Flags.string({
      description: 'a setting and the value to try; repeatable',
      helpValue: 'NAME=VALUE',
      multiple: true,
      multipleNonGreedy: true,
      required: true,
    }),
    'fail-on': failOnFlag('never'),
    ...resultFlags(SIMULATION_FORMATS),
    ...readingFlags,
  };

  async run(): Promise<void> {
    const {args, flags} = await this.parse(Simulate);
    const places = placesOf(flags, SIMULATION_FORMATS);
    const wishes = await Promise.all(flags.set.map(wishOf));
    const twice = wishes.find(({name}, index) => wishes.findIndex((other) => other.name === name) < index);
    if (twice !== undefined) throw new UsageError(`--set gives ${twice.name} two values: a run tries one of them`);
    const reading = await read(this, args.input as readonly string[] | undefined, flags);
    if (reading === null) return;
    const {simulate} = await import('../simulation/simulate.ts');
    const {simulationJson, simulationText} = await import('../report/simulation.ts');
    const {timeline} = reading.diagnosis;
    const simulation = simulate(timeline, wishes);
    writeResults(places, flags, (name, options) =>
      name === 'json' ? simulationJson(simulation) : simulationText(simulation, timeline, options),
    );
    end(reading.exitCode);
  }
}

async function wishOf(text: string): Promise<Wish> {
  const {SIMULATED} = await import('../simulation/settings.ts');
  const [, name = '', value = ''] = /^([^=]+?)\s*=\s*(.*)$/s.exec(text) ?? [];
  if (name === '') throw new UsageError(`--set takes a name and a value, as in --set worker-reload-mercy=5, not ${text}`);
  const setting = SIMULATED.find((each) => each.name === name);
  const names = SIMULATED.map((each) => each.name);
  if (setting === undefined) {
    throw new UsageError(`${name} cannot be simulated${didYouMean(name, names) || `; there are ${names.join(', ')}`}`);
  }
  const isFitting = setting.takes === 'seconds' ? /^\d{1,6}$/.test(value) : /^(true|false|1|0|yes|no|on|off)$/i.test(value);
  if (!isFitting)
    throw new UsageError(`${name} takes ${setting.takes === 'seconds' ? 'whole seconds' : 'true or false'}, not "${value}"`);
  return {...setting, value, seconds: setting.takes === 'seconds' ? Number(value) : 0};
}
