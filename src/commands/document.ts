import {didYouMean} from './nearest.ts';
import {UsageError} from './usage-error.ts';

/**
 * Reads a small file and makes of its text what `parse` makes of it.
 *
 * @throws {@link UsageError} that names the file, the line and what may be meant
 */
export async function readDocument<Content>(file: string, parse: (file: string, text: string) => Content): Promise<Content> {
  const [{readTextFile}, {DocumentError}, {InputError}] = await Promise.all([
    import('../source/text-file.ts'),
    import('../checks/document.ts'),
    import('../source/input-error.ts'),
  ]);
  try {
    return parse(file, readTextFile(file));
  } catch (error) {
    if (error instanceof InputError) throw new UsageError(error.message);
    if (!(error instanceof DocumentError)) throw error;
    const {unknown, message} = error;
    throw new UsageError(unknown === null ? message : `${message}${suggestion(unknown)}`);
  }
}

function suggestion({word, known}: {readonly word: string; readonly known: readonly string[]}): string {
  return didYouMean(word, known) || (known.length <= 12 ? `; there are ${known.join(', ')}` : '');
}
