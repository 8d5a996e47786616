/**
 * How does what comes one after another become what `for await` goes through?
 *
 * Something is fetched only when it is asked for: who is slow holds nothing up but himself. Whichever way the loop is
 * left, what it had open is closed.
 */
import { Deferred, Effect, Exit, Option, Scope } from "effect"
import { wrongCall } from "./checkOptions.ts"
import { SeamlessError } from "./SeamlessError.ts"
import { type CallOptions, cancelled, toPromise } from "./toPromise.ts"

/** What can be gone through, once, and left at any time. */
export interface Sequence<A> extends AsyncIterableIterator<A, undefined>, AsyncDisposable {
  readonly return: () => Promise<IteratorReturnResult<undefined>>
}

/** Gives the next one; none at the end. */
export type Pull<A> = Effect.Effect<Option.Option<A>, SeamlessError>

/**
 * What `open` gives, one by one, until the end, an error, the signal, or who goes through it has enough. `onEnd` is
 * called once: with the error, or none at the end, or where the loop was left.
 */
export const toIterable = <A>(
  open: Effect.Effect<Pull<A>, SeamlessError, Scope.Scope>,
  options?: CallOptions,
  onEnd?: (error?: SeamlessError) => void
): Sequence<A> => {
  const scope = Scope.makeUnsafe()
  const enough = Deferred.makeUnsafe<void>()
  const signal = wrongCall(options) === undefined ? options?.signal : undefined
  let pull: Pull<A> | undefined
  let isTaking = false
  // no more is given; and who goes through it knows
  let [isEnded, isTold] = [false, false]
  // those who ask before they were answered are answered in turn
  let last: Promise<unknown> = Promise.resolve()

  // who is at work on what came asks for nothing: it ends all the same, and the next one who asks is told
  const onAbort = () => {
    if (!isTaking) void Effect.runPromise(close())
  }
  const close = (error?: SeamlessError) =>
    Effect.suspend(() => {
      if (!isEnded) onEnd?.(error ?? (signal?.aborted === true && !isTold ? cancelled(signal) : undefined))
      isEnded = true
      signal?.removeEventListener("abort", onAbort)
      return Scope.close(scope, Exit.void)
    })
  const step = Effect.gen(function* () {
    if (isEnded) return Option.none<A>()
    pull ??= yield* Scope.provide(open, scope)
    return yield* pull
  })
  const stopped = Effect.as(Deferred.await(enough), Option.none<A>())
  const end = async (error?: SeamlessError): Promise<IteratorReturnResult<undefined>> => {
    isTold ||= error === undefined
    Deferred.doneUnsafe(enough, Effect.void)
    await Effect.runPromise(close(error))
    isTold = true
    return { done: true, value: undefined }
  }

  const take = async (): Promise<IteratorResult<A, undefined>> => {
    if (isTold) return { done: true, value: undefined }
    if (pull === undefined) signal?.addEventListener("abort", onAbort)
    isTaking = true
    try {
      const found = await toPromise(Effect.raceFirst(step, stopped), options)
      return Option.isSome(found) ? { done: false, value: found.value } : await end()
    } catch (cause) {
      await end(cause instanceof SeamlessError ? cause : undefined)
      return await Promise.reject(cause)
    } finally {
      isTaking = false
    }
  }
  const iterator: Sequence<A> = {
    next: () => {
      const turn = last.then(take, take)
      last = turn
      return turn
    },
    return: () => end(),
    [Symbol.asyncIterator]: () => iterator,
    [Symbol.asyncDispose]: async () => void (await end())
  }
  return iterator
}
