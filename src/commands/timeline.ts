import {Command} from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';
import type {Album} from '../report/timeline/picture.ts';
import type {TerminalOptions} from '../report/timeline/terminal.ts';
import type {Reload, Timeline as TimelineData} from '../timeline/timeline.ts';
import {placesOf, writeText} from './output.ts';
import {end, failOnFlag, quietFlag, read, readingArgs, readingFlags} from './reading.ts';
import {isTerminal, wantsColor, widthFor} from './terminal.ts';
import {UsageError} from './usage-error.ts';

const NARROWEST = 40;
/** Beyond this a picture is hard to follow from its names to its end. */
const WIDEST = 200;
export const TIMELINE_FORMATS = ['text', 'svg', 'json'] as const;

export class Timeline extends Command {
  static override summary = 'Draw reloads and workers over time, and tell where the seconds went.';
  static override description =
    'Each reload or stop as a picture: a row for each worker, how many could serve, what happened when, and what the reload ' +
    'had to wait for. What the log does not tell exactly is drawn as a doubt. A log without any reload shows the lives of its ' +
    'workers. Exit code 0: drawn; 2: could not run; 3: the log was not understood; 130: interrupted.';
  static override examples = [
    {description: 'All reloads and stops of a log', command: '<%= config.bin %> timeline uwsgi.log'},
    {description: 'One of them', command: '<%= config.bin %> timeline uwsgi.log --reload 2'},
    {description: 'For a ticket or a page', command: '<%= config.bin %> timeline uwsgi.log --format svg=reload.svg'},
  ];
  static override args = readingArgs;
  static override flags = {
    reload: Flags.string({char: 'r', description: 'only this reload or stop, by its number or id', helpValue: 'N'}),
    ascii: Flags.boolean({description: 'draw with plain characters only'}),
    width: Flags.integer({description: 'columns; else those of the terminal, and 100 in a pipe', helpValue: 'N', min: NARROWEST}),
    json: Flags.boolean({description: 'the report as JSON, as logdoctor analyze --json gives it'}),
    format: Flags.string({
      description: `how to draw: ${TIMELINE_FORMATS.join(', ')} (the whole report); repeatable, with =PATH into a file`,
      helpValue: 'NAME[=PATH]',
      multiple: true,
      multipleNonGreedy: true,
    }),
    output: Flags.string({char: 'o', description: 'write the picture to this file', helpValue: 'PATH'}),
    ...readingFlags,
    quiet: quietFlag,
    'fail-on': failOnFlag('never'),
  };

  async run(): Promise<void> {
    const {args, flags} = await this.parse(Timeline);
    const wanted = placesOf(flags, TIMELINE_FORMATS);
    const reading = await read(this, args.input as readonly string[] | undefined, flags);
    if (reading === null) return;
    const [{albumOf, reloadNamed}, {terminal}, {svg}, {json}] = await Promise.all([
      import('../report/timeline/picture.ts'),
      import('../report/timeline/terminal.ts'),
      import('../report/timeline/svg.ts'),
      import('../report/json.ts'),
    ]);
    const {diagnosis} = reading;
    const {timeline} = diagnosis;
    const album = albumOf(
      timeline,
      flags.reload === undefined ? null : chosen(flags.reload, reloadNamed(flags.reload, timeline), timeline),
    );
    const draw = (name: string, to: TerminalOptions) => {
      if (name === 'json') return json.render(diagnosis, {...to, quiet: flags.quiet, showRules: false});
      return name === 'svg' ? svg(timeline, album) : terminal(timeline, album, to);
    };
    const plain: TerminalOptions = {width: flags.width ?? widthFor(undefined), color: flags.color ?? false, ascii: flags.ascii};
    for (const {name, path} of wanted) {
      if (path !== null) writeText(path, draw(name, plain));
      else process.stdout.write(draw(name, {...plain, ...onStandardOutput(flags)}));
    }
    const files = wanted.flatMap(({path}) => path ?? []);
    if (files.length === wanted.length && !flags.quiet) this.logToStderr(`${drawn(album)} in ${files.join(', ')}`);
    end(reading.exitCode);
  }
}

function chosen(name: string, reload: Reload | null, {reloads}: TimelineData): Reload {
  if (reload !== null) return reload;
  const [first, last] = [reloads[0], reloads.at(-1)];
  const which =
    first === undefined
      ? 'the log shows no reload and no stop'
      : first === last
        ? `there is ${first.id} only`
        : `there are ${first.id} to ${last?.id}`;
  throw new UsageError(`there is no reload ${name}: ${which}`);
}

function onStandardOutput({
  width,
  color,
}: {
  readonly width?: number | undefined;
  readonly color?: boolean | undefined;
}): Omit<TerminalOptions, 'ascii'> {
  const toTerminal = isTerminal(1);
  const {columns} = process.stdout;
  const ofTerminal = toTerminal && columns !== undefined ? Math.min(WIDEST, Math.max(NARROWEST, columns)) : widthFor(undefined);
  return {width: width ?? ofTerminal, color: wantsColor(color, process.env, toTerminal)};
}

function drawn({pictures}: Album): string {
  return pictures.length === 1 ? 'The picture is' : `${pictures.length} pictures are`;
}
