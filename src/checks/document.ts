/** Small files that people write: read as YAML, of which JSON is a part, and held against a JSON Schema. */
import {Ajv2020, type ErrorObject} from 'ajv/dist/2020.js';
import {isMap, isNode, isPair, isScalar, isSeq, LineCounter, parseDocument} from 'yaml';

/** The file cannot be used as it stands. The message names it, the line and what is wrong. */
export class DocumentError extends Error {
  override readonly name = 'DocumentError';
  /** A word that is unknown, and those that could have been meant. */
  readonly unknown: {readonly word: string; readonly known: readonly string[]} | null;

  constructor(message: string, unknown: DocumentError['unknown'] = null) {
    super(message);
    this.unknown = unknown;
  }
}

/**
 * What the file says. Where the schema has a `$comment` for a value, it completes "takes …" in the message that refuses another.
 *
 * @throws {@link DocumentError} where the text is no YAML, or not what the schema describes
 */
export function documentFrom(file: string, text: string, schema: object): unknown {
  const lines = new LineCounter();
  const document = parseDocument(text, {lineCounter: lines, prettyErrors: false});
  const placeAt = (offset: number) => `${file}:${lines.linePos(offset).line}`;
  const [broken] = document.errors;
  if (broken !== undefined)
    throw new DocumentError(
      `${placeAt(broken.pos[0])}: this is no valid ${/\.json$/i.test(file) ? 'JSON' : 'YAML'}: ${broken.message}`,
    );
  const value: unknown = document.toJS() ?? {};
  const validate = new Ajv2020({verbose: true, allowUnionTypes: true}).compile(schema);
  if (!validate(value)) {
    const [error] = validate.errors as [ErrorObject];
    throw refusal(error, document.contents, placeAt);
  }
  return value;
}

function refusal(error: ErrorObject, contents: unknown, placeAt: (offset: number) => string): DocumentError {
  const {keyword, instancePath, params, parentSchema, data} = error;
  const path = instancePath.split('/').slice(1);
  const place = (steps: readonly string[]) => placeAt(offsetOf(contents, steps));
  const {properties = {}, enum: values, $comment, type} = parentSchema as Described;
  const key = path.at(-1);
  if (keyword === 'additionalProperties') {
    const word = String(params['additionalProperty']);
    const known = Object.keys(properties).filter((name) => !name.startsWith('$'));
    const what = $comment ?? 'key';
    return new DocumentError(`${place([...path, word])}: there is no ${what} ${word}`, {word, known});
  }
  if (keyword === 'required') return new DocumentError(`${place(path)}: ${params['missingProperty']} is missing`);
  const form =
    $comment ??
    values?.join(', ') ??
    [type]
      .flat()
      .map((each) => TYPES[each ?? ''] ?? each)
      .join(' or ');
  return new DocumentError(`${place(path)}: ${key ?? 'the file'} takes ${form}, not ${JSON.stringify(data)}`);
}

/** What a type of JSON Schema is called in a message. */
const TYPES: Readonly<Record<string, string>> = {
  object: 'keys with values',
  array: 'a list',
  boolean: 'true or false',
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
};

/** The parts of a schema that a message can use. */
interface Described {
  readonly properties?: object;
  readonly enum?: readonly string[];
  readonly $comment?: string;
  readonly type?: string | readonly string[];
}

/** Where the key or the item at a path begins; the nearest thing around it, where it is not there. */
function offsetOf(contents: unknown, path: readonly string[]): number {
  let [node, offset] = [contents, 0];
  for (const step of path) {
    const found: unknown = isMap(node)
      ? node.items.find(({key}) => isScalar(key) && String(key.value) === step)
      : isSeq(node)
        ? node.items[Number(step)]
        : undefined;
    const own = isPair(found) ? found.key : found;
    offset = (isNode(own) ? own.range?.[0] : undefined) ?? offset;
    node = isPair(found) ? found.value : found;
  }
  return offset;
}
