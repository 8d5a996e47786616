/**
 * How does a command end?
 *
 * With a code. A failure is told on the error output first; the code then travels as an error of its own, since a
 * command has no other way to say how it went.
 */
import { Data, Effect } from "effect"
import { describeFailure, type Foreseen } from "./describeFailure.ts"
import { ExitCode } from "./ExitCode.ts"
import type { Format } from "./flags.ts"
import { printNote } from "./print.ts"
import { WrongUsage } from "./WrongUsage.ts"

/** The command has said all it has to say, and was not complete. */
export class Finished extends Data.TaggedError("Finished")<{ readonly code: ExitCode }> {}

/** Tells a failure, and ends with the code of what happened. */
export const finish =
  (format: Format) =>
  <E extends Foreseen, R>(command: Effect.Effect<ExitCode, E, R>): Effect.Effect<void, Finished, R> =>
    command.pipe(
      Effect.catch((failure) =>
        failure instanceof WrongUsage
          ? Effect.as(printNote(failure.message), ExitCode.wrongUsage)
          : Effect.as(printNote(describeFailure(failure, format)), ExitCode.failed)
      ),
      Effect.flatMap((code) => (code === ExitCode.complete ? Effect.void : Effect.fail(new Finished({ code }))))
    )
