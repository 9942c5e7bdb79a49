/** An input that cannot be read. The message names it and says what to do. */
export class InputError extends Error {
  override readonly name = 'InputError';
  readonly file: string;

  constructor(file: string, reason: string) {
    super(`cannot read ${file}: ${reason}`);
    this.file = file;
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file: a part of its path is not a directory',
  EACCES: 'permission denied; try with sudo, or copy the log',
  EPERM: 'not permitted; try with sudo, or copy the log',
  EISDIR: 'it is a directory',
  ELOOP: 'its symbolic links go round in a circle',
  ENXIO: 'it is a socket or a device without a reader',
  EIO: 'the disk or the network gave an error',
  ESTALE: 'it was removed on the file server while it was read',
  EMFILE: 'too many files are open',
};

/** What the system says, in words; anything that is no answer of the system is a fault of this program and goes on. */
export function asInputError(file: string, error: unknown): InputError {
  if (error instanceof InputError) return error;
  const {code, syscall, message} = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) throw error;
  return new InputError(file, REASONS[code] ?? message);
}
