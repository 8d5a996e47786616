/**
 * What becomes of a read of storage that nobody waits for any more, or that another waits for too?
 *
 * It runs apart from who began it. Who has no more time leaves, and what comes is kept for who asks next: slow storage
 * would answer nobody else, each would begin anew. Who wants meanwhile what is on its way waits for that.
 */
import { Effect, Fiber } from "effect"

/** Reads some values by their names; of each by itself what came of it. */
export type Load<Name, Loaded, Failure> = (names: ReadonlyArray<Name>) => Effect.Effect<ReadonlyArray<Loaded>, Failure>

/** Nothing is on its way. A load has to end by itself: nobody ends it. */
export const make = <Name extends { readonly id: string }, Loaded, Failure>(
  load: Load<Name, Loaded, Failure>
): Load<Name, Loaded, Failure> => {
  const underWay = new Map<string, Fiber.Fiber<ReadonlyArray<Loaded>, Failure>>()

  const begin = Effect.fnUntraced(function* (names: ReadonlyArray<Name>) {
    const fiber = yield* Effect.forkDetach(load(names), { startImmediately: true })
    for (const { id } of names) underWay.set(id, fiber)
    fiber.addObserver(() => {
      for (const { id } of names) if (underWay.get(id) === fiber) underWay.delete(id)
    })
    return fiber
  })

  /** What came of these names, and of others that were read with them. */
  return Effect.fnUntraced(function* (names) {
    const waited = new Set(names.flatMap(({ id }) => underWay.get(id) ?? []))
    const fresh = names.filter(({ id }) => !underWay.has(id))
    if (fresh.length > 0) waited.add(yield* begin(fresh))
    return (yield* Effect.forEach(waited, Fiber.join)).flat()
  })
}
