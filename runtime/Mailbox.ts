/**
 * What waits for an actor, and what when it is full?
 *
 * A bounded queue for one taker. Whoever offers learns at once whether there was room: nothing waits to be let in.
 */
import { Effect } from "effect"

/** A queue of at most `capacity` items. */
export interface Mailbox<A> {
  /** Puts the item behind the others; false where there is no room. */
  readonly offer: (item: A) => boolean
  /** Waits for an item, and takes up to so many. */
  readonly take: (countMax: number) => Effect.Effect<ReadonlyArray<A>>
  /** Takes everything there is. */
  readonly clear: () => ReadonlyArray<A>
  readonly size: () => number
}

/** An empty mailbox. */
export const make = <A>(capacity: number): Mailbox<A> => {
  let items: Array<A> = []
  let taker: (() => void) | undefined

  const offer = (item: A): boolean => {
    if (items.length >= capacity) return false
    items.push(item)
    taker?.()
    return true
  }
  const remove = (countMax: number): ReadonlyArray<A> => {
    if (items.length > countMax) return items.splice(0, countMax)
    const all = items
    items = []
    return all
  }
  const waitForOne = Effect.callback<void>((resume) => {
    taker = () => {
      taker = undefined
      resume(Effect.void)
    }
    return Effect.sync(() => void (taker = undefined))
  })
  const take = (countMax: number): Effect.Effect<ReadonlyArray<A>> =>
    Effect.suspend(() =>
      items.length > 0 ? Effect.succeed(remove(countMax)) : Effect.andThen(waitForOne, take(countMax))
    )
  return { offer, take, clear: () => remove(Infinity), size: () => items.length }
}
