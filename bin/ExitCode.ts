/** What does the command's exit code say? */

/** The codes by meaning; scripts rely on the numbers. */
export const ExitCode = {
  /** All that was asked for. */
  complete: 0,
  /** The command line is wrong; nothing was asked of anybody. */
  wrongUsage: 2,
  /** Some of it: the missing ranges are on the error output. */
  partial: 3,
  /** A failure with a tag and a message. */
  failed: 4,
  /** A fault of this program. */
  defect: 70,
  /** Stopped by a signal before the answer came. */
  interrupted: 130
} as const
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]
