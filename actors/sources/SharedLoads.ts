/**
 * What becomes of a read of storage that nobody waits for any more, or that another waits for too?
 *
 * It runs apart from who began it. Who has no more time leaves, and what comes is kept for who asks next: slow storage
 * would answer nobody else, each would begin anew. Who wants meanwhile what is on its way waits for that.
 */
import { Effect, Fiber, Option } from "effect"

/** Reads some values by their names; of each by itself what came of it. */
export type Load<Name, Loaded, Failure> = (names: ReadonlyArray<Name>) => Effect.Effect<ReadonlyArray<Loaded>, Failure>

/** Reads that are shared. */
export interface SharedLoads<Name, Loaded, Failure> {
  /** What came of these names, and of others that were read with them. */
  readonly load: Load<Name, Loaded, Failure>
  /** Waits for nothing that is on its way any more: an answer may be lost, and who asks from now on asks anew. */
  readonly forget: () => void
}

/** Nothing is on its way. A load has to end by itself: nobody ends it. */
export const make = <Name extends { readonly id: string }, Loaded, Failure>(
  load: Load<Name, Loaded, Failure>
): SharedLoads<Name, Loaded, Failure> => {
  const underWay = new Map<string, Fiber.Fiber<ReadonlyArray<Loaded>, Failure>>()

  const begin = Effect.fnUntraced(function* (names: ReadonlyArray<Name>) {
    if (names.length === 0) return Effect.succeed<ReadonlyArray<Loaded>>([])
    const fiber = yield* Effect.forkDetach(load(names), { startImmediately: true })
    for (const { id } of names) underWay.set(id, fiber)
    fiber.addObserver(() => {
      for (const { id } of names) if (underWay.get(id) === fiber) underWay.delete(id)
    })
    return Fiber.join(fiber)
  })

  return {
    load: Effect.fnUntraced(function* (names) {
      const others = new Map(names.map((name) => [name, underWay.get(name.id)]))
      const own = yield* begin(names.filter((name) => others.get(name) === undefined))
      const found: Array<Loaded> = []
      const failed = new Set<unknown>()
      for (const fiber of new Set(others.values())) {
        if (fiber === undefined) continue
        // what another's question came to is no answer to this one where it failed
        const loaded = yield* Effect.option(Fiber.join(fiber))
        if (Option.isSome(loaded)) found.push(...loaded.value)
        else failed.add(fiber)
      }
      const again = yield* begin(names.filter((name) => failed.has(others.get(name))))
      return [...found, ...(yield* own), ...(yield* again)]
    }),
    forget: () => underWay.clear()
  }
}
