/** Which failures are the caller's to mend, and end the program with status 2 instead of a stack? */

/** The command line or a file it names is wrong; the message says what is, and what would be right. */
export class UsageError extends Error {
  override readonly name = "UsageError"
}
