/**
 * How does what comes one after another become what `for await` goes through?
 *
 * Something is fetched only when it is asked for: who is slow holds nothing up but himself. Whichever way the loop is
 * left, what it had open is closed.
 */
import { Deferred, Effect, Exit, Option, Scope } from "effect"
import type { SeamlessError } from "./SeamlessError.ts"
import { type CallOptions, toPromise } from "./toPromise.ts"

/** What can be gone through, once, and left at any time. */
export interface Sequence<A> extends AsyncIterableIterator<A, undefined>, AsyncDisposable {
  readonly return: () => Promise<IteratorReturnResult<undefined>>
}

/** Gives the next one; none at the end. */
export type Pull<A> = Effect.Effect<Option.Option<A>, SeamlessError>

/** What `open` gives, one by one, until the end, an error, the signal, or who goes through it has enough. */
export const toIterable = <A>(
  open: Effect.Effect<Pull<A>, SeamlessError, Scope.Scope>,
  options: CallOptions = {}
): Sequence<A> => {
  const scope = Scope.makeUnsafe()
  const enough = Deferred.makeUnsafe<void>()
  let pull: Pull<A> | undefined
  let isEnded = false
  // those who ask before they were answered are answered in turn
  let last: Promise<unknown> = Promise.resolve()

  const close = Effect.suspend(() => {
    isEnded = true
    return Scope.close(scope, Exit.void)
  })
  const step = Effect.gen(function* () {
    if (isEnded) return Option.none<A>()
    pull ??= yield* Scope.provide(open, scope)
    const found = yield* pull
    if (Option.isNone(found)) yield* close
    return found
  })
  const stopped = Effect.as(Deferred.await(enough), Option.none<A>())

  const take = async (): Promise<IteratorResult<A, undefined>> => {
    const found = await toPromise(Effect.raceFirst(step, stopped), options).catch(async (cause: unknown) => {
      await Effect.runPromise(close)
      return Promise.reject(cause)
    })
    return Option.isSome(found) ? { done: false, value: found.value } : { done: true, value: undefined }
  }
  const end = async (): Promise<IteratorReturnResult<undefined>> => {
    Deferred.doneUnsafe(enough, Effect.void)
    await Effect.runPromise(close)
    return { done: true, value: undefined }
  }
  const iterator: Sequence<A> = {
    next: () => {
      const turn = last.then(take, take)
      last = turn
      return turn
    },
    return: end,
    [Symbol.asyncIterator]: () => iterator,
    [Symbol.asyncDispose]: async () => void (await end())
  }
  return iterator
}
