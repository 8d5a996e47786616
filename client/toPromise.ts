/** How does what the client does become a promise, and how is that called off? */
import { Effect } from "effect"
import { wrongCall } from "./checkOptions.ts"
import { SeamlessError } from "./SeamlessError.ts"

/** What every call takes beside what it asks; nothing of it is sent. */
export interface CallOptions {
  /** Calls it off: the promise rejects at once with the tag `Cancelled`, and the host is told. */
  readonly signal?: AbortSignal | undefined
}

// as web servers have it for a caller that has gone
const cancelledCode = 499

/** What is told of a call that was called off. */
export const cancelled = ({ reason }: AbortSignal): SeamlessError =>
  new SeamlessError({
    tag: "Cancelled",
    code: cancelledCode,
    message: "it was called off by its signal",
    cause: reason
  })

/** Fails when the signal is given. */
const aborted = (signal: AbortSignal): Effect.Effect<never, SeamlessError> =>
  Effect.callback((resume) => {
    const onAbort = () => resume(Effect.fail(cancelled(signal)))
    if (signal.aborted) return onAbort()
    signal.addEventListener("abort", onAbort, { once: true })
    return Effect.sync(() => signal.removeEventListener("abort", onAbort))
  })

/** Does it, until the signal calls it off. */
export const toPromise = <A>(effect: Effect.Effect<A, SeamlessError>, options: CallOptions = {}): Promise<A> => {
  const wrong = wrongCall(options)
  if (wrong !== undefined) return Effect.runPromise(Effect.fail(wrong))
  const { signal } = options
  if (signal === undefined) return Effect.runPromise(effect)
  return Effect.runPromise(signal.aborted ? aborted(signal) : Effect.raceFirst(effect, aborted(signal)))
}
