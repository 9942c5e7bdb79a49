import type {RE2JS} from 're2js';
import {Scratch} from '../envelope/scratch.ts';
import type {Matcher} from '../grammar/matcher.ts';
import type {Meaning} from '../timeline/event.ts';
import type {TaskExpressions} from './choices.ts';

export interface TaskLine {
  readonly message: string;
  readonly meaning: Meaning;
  readonly fields: Readonly<Record<string, string | number>>;
}

/** The expression cannot be used; the message says why. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';
}

const GROUPS: ReadonlySet<string> = new Set(['id', 'pid', 'thread']);

/**
 * RE2 needs time in proportion to the length of the line whatever the expression, so that none can hang the reading.
 *
 * @throws ExpressionError
 */
export async function compileExpression(expression: string): Promise<RE2JS> {
  const {RE2JS, RE2JSSyntaxException} = await import('re2js');
  const compiled = (() => {
    try {
      return RE2JS.compile(expression);
    } catch (error) {
      if (!(error instanceof RE2JSSyntaxException)) throw error;
      const why = `${error.getDescription()}: ${error.getPattern() ?? ''}`.replace(/: $/, '');
      throw new ExpressionError(`${why} (lookarounds and backreferences cannot be used)`);
    }
  })();
  const others = Object.keys(compiled.namedGroups()).filter((name) => !GROUPS.has(name));
  if (others.length > 0) throw new ExpressionError(`it names the group ${others.join(', ')}; id, pid and thread have a meaning`);
  if (compiled.test('')) throw new ExpressionError('it matches an empty line, and so every line');
  return compiled;
}

/** Tells the lines of tasks by the user's expressions. A pid that these leave out is taken from the line's layout. */
export class TaskTeller {
  static async create({start, end}: TaskExpressions, writer: Matcher): Promise<TaskTeller> {
    return new TaskTeller(await compileExpression(start), await compileExpression(end), writer);
  }

  private readonly start: RE2JS;
  private readonly end: RE2JS;
  private readonly writer: Matcher;
  private readonly scratch = new Scratch();

  private constructor(start: RE2JS, end: RE2JS, writer: Matcher) {
    this.start = start;
    this.end = end;
    this.writer = writer;
  }

  /** What the line says of a task; null where it tells of none. A line that both expressions fit is an end. */
  read(line: string): TaskLine | null {
    const ended = this.found(this.end, line);
    if (ended !== null) return {message: 'application/task-ended', meaning: {kind: 'task-ended'}, fields: ended};
    const began = this.found(this.start, line);
    return began === null ? null : {message: 'application/task-began', meaning: {kind: 'task-began'}, fields: began};
  }

  private found(expression: RE2JS, line: string): Record<string, string | number> | null {
    const matcher = expression.matcher(line);
    if (!matcher.find()) return null;
    const named = (name: string) => (name in expression.namedGroups() ? matcher.group(name) : null) ?? null;
    const written = this.writerOf(line);
    const pid = Number(named('pid') ?? written['pid']);
    const [thread, id] = [named('thread') ?? written['thread'], named('id')];
    return {
      ...(Number.isInteger(pid) && pid > 0 ? {pid} : {}),
      ...(thread === undefined ? {} : {thread}),
      ...(id === null ? {} : {task: id}),
    };
  }

  private writerOf(line: string): Readonly<Record<string, string | undefined>> {
    const {writer} = this;
    const {buffer, from: at} = this.scratch.put(line);
    this.scratch.reuse();
    writer.bind(buffer);
    const message = writer.match(at);
    if (message < 0) return {};
    const fields = (writer.fieldsOf[message] as readonly number[]).flatMap((field): [string, string][] => {
      const from = writer.captures[2 * field] as number;
      return from < 0 ? [] : [[writer.fields[field] as string, buffer.toString('utf8', from, writer.captures[2 * field + 1])]];
    });
    return Object.fromEntries(fields);
  }
}
