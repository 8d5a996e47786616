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
  /** Waits for an item, and takes up to so many: as long as each may be taken together with the first. */
  readonly take: (countMax: number, isTakenWith?: (first: A, next: A) => boolean) => Effect.Effect<ReadonlyArray<A>>
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
  const remove = (countMax: number, isTakenWith: (first: A, next: A) => boolean = () => true): ReadonlyArray<A> => {
    const [first] = items
    const other = items.findIndex((next, index) => index > 0 && first !== undefined && !isTakenWith(first, next))
    const count = Math.min(countMax, other === -1 ? items.length : other)
    if (items.length > count) return items.splice(0, count)
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
  const take: Mailbox<A>["take"] = (countMax, isTakenWith) =>
    Effect.suspend(() =>
      items.length > 0
        ? Effect.succeed(remove(countMax, isTakenWith))
        : Effect.andThen(waitForOne, take(countMax, isTakenWith))
    )
  return { offer, take, clear: () => remove(Infinity), size: () => items.length }
}
