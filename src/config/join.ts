/** Which configuration belongs to which server of the log. Where several fit, it belongs to none and that is said. */
import {basename} from 'node:path';
import type {ConfiguredPlace, Instance, Setting, Timeline} from '../timeline/timeline.ts';
import {
  type ConfigFile,
  type ConfigNote,
  type Configuration,
  type Declaration,
  type Program,
  type Server,
  textOfLine,
} from './configuration.ts';
import {defaultsOf} from './defaults.ts';

/** Instances of one server, one after the other: it was stopped and started again. */
type Chain = readonly Instance[];

export function joinConfiguration(
  timeline: Timeline,
  configuration: Configuration,
): {timeline: Timeline; notes: readonly ConfigNote[]} {
  const joiner = new Joiner(timeline, configuration);
  // A command line goes before the file that it names.
  const isOuter = ({server}: Program) => server !== 'uwsgi' && server !== 'gunicorn';
  for (const program of configuration.programs.filter((each) => !isOuter(each))) joiner.take(program);
  for (const program of configuration.programs.filter(isOuter)) joiner.take(program);
  return {timeline: joiner.timeline(), notes: [...configuration.notes, ...joiner.notes]};
}

function isContainer({server}: Program): boolean {
  return server === 'compose' || server === 'kubernetes';
}

/** Lines of configurations are shown below those of the logs. */
const BEHIND_ALL_LOGS = 2 ** 50;

/** What is to be added to an instance. */
interface Addition {
  /** Some of what the server reads is not here: a default may not hold. */
  isOpen: boolean;
  readonly settings: Setting[];
  readonly places: ConfiguredPlace[];
}

class Joiner {
  readonly notes: ConfigNote[] = [];
  private readonly built: Timeline;
  private readonly configuration: Configuration;
  private readonly additions = new Map<Instance, Addition>();

  constructor(built: Timeline, configuration: Configuration) {
    this.built = built;
    this.configuration = configuration;
  }

  take(program: Program): void {
    const {server} = program;
    if (server === 'uwsgi' || server === 'gunicorn') this.takeServer(program);
    else this.takeOuter(program);
  }

  timeline(): Timeline {
    const instances = this.built.instances.map((instance): Instance => {
      const addition = this.additions.get(instance);
      if (addition === undefined) return instance;
      const told = instance.settings.filter(({from}) => from !== 'default');
      const isSame = (a: Setting, b: Setting) => a.name === b.name && a.program === b.program;
      const given = [...addition.settings, ...told].filter(({from}) => from !== 'default');
      const defaults = [...instance.settings, ...addition.settings].filter(
        (each, index, all) =>
          each.from === 'default' &&
          !(addition.isOpen && each.program === undefined) &&
          !given.some((other) => isSame(each, other)) &&
          all.findIndex((other) => other.from === 'default' && isSame(each, other)) === index,
      );
      // The log tells what was in force; so it stands last.
      const settings = [...defaults, ...addition.settings.filter(({from}) => from === 'config'), ...told];
      return {...instance, settings, configured: addition.places};
    });
    return {...this.built, instances, configurations: this.configuration.files.map(({name}) => name)};
  }

  private takeServer(program: Program): void {
    const chains = this.chainsOf(program.server);
    const {file} = program.place;
    if (chains.length === 0) {
      this.note(file, `no ${shown(program.server)} server is in this log; the file is not used`);
      return;
    }
    const fitting = this.fitting(program, chains);
    if (fitting.length === 0) {
      this.note(
        file,
        `which of ${chains.map((chain) => chain[0]?.id).join(', ')} it belongs to cannot be told: no line names the file; the log of one server alone would decide it`,
      );
      return;
    }
    const isWhole = program.isIncomplete !== true;
    for (const instance of fitting.flat()) this.add(instance, program.server, program.settings, this.placeOf(program), {isWhole});
  }

  private fitting(program: Program, chains: readonly Chain[]): readonly Chain[] {
    const {file} = program.place;
    const named = chains.filter((chain) =>
      chain.some((instance) => configurationsOf(instance).some((path) => isSameFile(path, file))),
    );
    if (named.length > 0) return isOneFile(named, file) ? named : [];
    const outer = this.configuration.programs.filter(({runs}) => runs?.files.some((path) => isSameFile(path, file)));
    const byProgram = chains.filter((chain) => outer.some((each) => chain.some((instance) => this.runsAs(instance, each))));
    if (byProgram.length > 0) return byProgram;
    const byAddress = chains.filter((chain) => chain.some((instance) => sharesAddress(instance, program)));
    if (byAddress.length === 1) return byAddress;
    const stem = basename(file.name).replace(/\.[^.]+$/, '');
    const byName = chains.filter((chain) =>
      chain.some(({name}) => name?.split('/').some((part) => part === stem || part === basename(file.name))),
    );
    if (byName.length === 1) return byName;
    if (chains.length !== 1) return [];
    const others = configurationsOf(chains[0]?.[0]);
    if (others.length > 0) {
      this.note(file, `the log names ${others.join(', ')} as the configuration of ${chains[0]?.[0]?.id}; taken for a copy of it`);
    }
    return chains;
  }

  private takeOuter(program: Program): void {
    const {file} = program.place;
    const place = this.placeOf(program);
    const own = this.chainsOf(program.server);
    if (own.length > 1) this.note(file, `which of ${own.map((chain) => chain[0]?.id).join(', ')} it belongs to cannot be told`);
    else for (const instance of own.flat()) this.add(instance, program.server, program.settings, place, {program: program.name});
    const {runs} = program;
    const inner = this.built.instances.filter(({supervisor}) => supervisor !== program.server);
    const known = inner.filter((instance) => this.runsAs(instance, program));
    const found = known.length > 0 ? known : runs === null ? this.alone(program) : this.byCommand(program, runs);
    for (const instance of found) {
      this.add(instance, program.server, program.settings, place, {program: program.name});
      if (runs === null || runs.server !== instance.supervisor) continue;
      const isWhole = runs.files.every((path) => this.isWhollyRead(path));
      this.add(instance, runs.server, runs.settings, null, {isWhole});
      // A file that is not here may set them as well.
      this.addWeakly(instance, isWhole ? runs.fallbacks : runs.fallbacks.map((each) => ({...each, unknown: 'condition'})));
    }
    // Beside the server, a file of containers has databases and the like.
    const isAside = isContainer(program) && runs === null && this.configuration.programs.filter(isContainer).length > 1;
    if (own.length === 0 && found.length === 0 && !isAside) {
      const what = program.server === 'systemd' ? 'the unit' : isContainer(program) ? 'the container' : 'the program';
      this.note(file, `which server of this log ${what} ${program.name} runs cannot be told; its settings are not used`);
    }
  }

  private isWhollyRead(path: string): boolean {
    const {files, programs} = this.configuration;
    return (
      files.some((file) => isSameFile(path, file)) &&
      !programs.some(({place, isIncomplete}) => isIncomplete && isSameFile(path, place.file))
    );
  }

  /** What a container runs is told by its image: the only server of the log, if it is the only container. */
  private alone(program: Program): readonly Instance[] {
    const chains = [...this.chainsOf('uwsgi'), ...this.chainsOf('gunicorn')];
    const isOnly = isContainer(program) && this.configuration.programs.filter(isContainer).length === 1;
    return isOnly && chains.length === 1 ? chains.flat() : [];
  }

  /** No line of the outer supervisor tells it: the only server of that kind, if only one program runs one. */
  private byCommand(program: Program, runs: NonNullable<Program['runs']>): readonly Instance[] {
    const chains = this.chainsOf(runs.server);
    const byFile = chains.filter((chain) =>
      chain.some((instance) =>
        configurationsOf(instance).some((path) => runs.files.some((file) => basename(file) === basename(path))),
      ),
    );
    if (byFile.length === 1) return byFile.flat();
    const rivals = this.configuration.programs.filter(
      (each) => each.server === program.server && each.runs?.server === runs.server,
    );
    return chains.length === 1 && rivals.length === 1 ? chains.flat() : [];
  }

  /** A line of the outer supervisor, or the envelope of the server's own lines, tells that the server is this program. */
  private runsAs(instance: Instance, {server, name}: Program): boolean {
    if (name === null) return false;
    const stem = name.replace(/\.service$/, '');
    // With numprocs, supervisord counts: web_00, web_01.
    const isNamed = (told: string) =>
      told === name ||
      told === stem ||
      (server === 'supervisord' && told.replace(/_\d+$/, '') === name) ||
      // compose names a container after its project, the service and a number.
      (server === 'compose' &&
        told
          .replace(/[-_]\d+$/, '')
          .split(/[-_]/)
          .at(-1) === name);
    if (instance.runsAs !== null && isNamed(instance.runsAs.name)) return true;
    if (instance.name?.split('/').some(isNamed)) return true;
    return this.built.events.some(
      ({meaning, pid, fields, message}) =>
        meaning.role === 'program' &&
        pid !== null &&
        pid === instance.masterPid &&
        message.startsWith(`${server}/`) &&
        isNamed(String(fields['program'] ?? fields['unit'] ?? fields['name'] ?? '')),
    );
  }

  private add(
    instance: Instance,
    server: Server,
    declarations: readonly Declaration[],
    place: ConfiguredPlace | null,
    {program = null, isWhole = true}: {program?: string | null; isWhole?: boolean},
  ): void {
    const addition = this.additions.get(instance) ?? {isOpen: false, settings: [], places: []};
    this.additions.set(instance, addition);
    addition.isOpen ||= !isWhole;
    if (place !== null) addition.places.push(place);
    const of = program === null ? {} : {program};
    for (const declaration of declarations) addition.settings.push({...this.settingOf(declaration), ...of});
    const version = instance.supervisor === server ? instance.version : null;
    for (const {name, value} of defaultsOf(server, version)) {
      if (!declarations.some((each) => each.name === name))
        addition.settings.push({name, value, from: 'default', where: null, ...of});
    }
  }

  /** They hold where nothing else sets them. */
  private addWeakly(instance: Instance, declarations: readonly Declaration[]): void {
    const addition = this.additions.get(instance) ?? {isOpen: false, settings: [], places: []};
    this.additions.set(instance, addition);
    addition.settings.unshift(...declarations.map((each) => this.settingOf(each)));
  }

  private settingOf({name, value, unknown, file, line}: Declaration): Setting {
    const where = {input: this.inputOf(file), line, place: BEHIND_ALL_LOGS + line, text: textOfLine(file, line)};
    return {name, value, from: 'config', ...(unknown && {unknown}), where};
  }

  private chainsOf(server: Server): readonly Chain[] {
    const chains: Instance[][] = [];
    for (const instance of this.built.instances.filter(({supervisor}) => supervisor === server)) {
      const chain = chains.find(
        (known) => known.some(({id}) => id === instance.predecessor) && isSameServer(known[0] as Instance, instance),
      );
      if (chain === undefined) chains.push([instance]);
      else chain.push(instance);
    }
    return chains;
  }

  private placeOf({place: {file, section}, server}: Program): ConfiguredPlace {
    const line = file.sections.find(({name}) => name === section)?.line ?? 1;
    return {
      heading: {input: this.inputOf(file), line, place: BEHIND_ALL_LOGS + line, text: textOfLine(file, line)},
      section,
      server,
    };
  }

  private inputOf(file: ConfigFile): number {
    return this.built.inputs.length + this.configuration.files.indexOf(file);
  }

  private note(file: ConfigFile, text: string): void {
    this.notes.push({file: file.name, text});
  }
}

/** The files that a server says it reads. */
function configurationsOf(instance: Instance | undefined): string[] {
  const told = instance?.settings.filter(({name, from}) => name === 'configuration' && from === 'log') ?? [];
  return told.map(({value}) => String(value).replace(/:[^:/]*$/, ''));
}

function isSameFile(path: string, {name}: ConfigFile): boolean {
  return basename(path.replace(/:[^:/]*$/, '')) === basename(name);
}

/** Another server may have been stopped before this one was started. */
function isSameServer(before: Instance, after: Instance): boolean {
  const [a, b] = [configurationsOf(before), configurationsOf(after)];
  return a.length === 0 || b.length === 0 || a.some((path) => b.includes(path));
}

/** The server listens where the file says, or writes its pid there. */
function sharesAddress({settings}: Instance, program: Program): boolean {
  const told = settings.filter(({name, from}) => from === 'log' && ADDRESSES.test(name)).map(({value}) => String(value));
  return program.settings.some(({name, value}) => ADDRESSES.test(name) && told.includes(String(value)));
}

const ADDRESSES = /^(.*socket|https?|pidfile2?|bind|stats)$/;

/** Several servers read files of this name: from one place, or from places of which the given path tells one. */
function isOneFile(chains: readonly Chain[], file: ConfigFile): boolean {
  const paths = chains.flat().flatMap((instance) => configurationsOf(instance).filter((path) => isSameFile(path, file)));
  return new Set(paths).size === 1;
}

function shown(server: Server): string {
  return server === 'uwsgi' ? 'uWSGI' : server;
}
