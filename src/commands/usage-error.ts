/** The call cannot be carried out as it stands. The message is ready to print and says what to do. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
