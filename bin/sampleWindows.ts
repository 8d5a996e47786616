/**
 * Which windows does a sample have?
 *
 * Drawn by a seed: the same seed draws the same windows of the same ones again.
 */
import { Effect, Random } from "effect"

/** So many of the items, in their order; all where there are no more. */
export const sampleWindows = <Item>(
  items: ReadonlyArray<Item>,
  count: number,
  seed: number
): Effect.Effect<ReadonlyArray<Item>> => {
  if (count >= items.length) return Effect.succeed(items)
  return Random.shuffle(items.keys()).pipe(
    Random.withSeed(seed),
    Effect.map((order) => {
      const drawn = new Set(order.slice(0, count))
      return items.filter((_, index) => drawn.has(index))
    })
  )
}
