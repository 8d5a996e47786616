/** How do things get names that no other thing has? */
import { Effect, Random } from "effect"

// 24 digits of base 36 are 124 bits: no two of a cluster's lifetime meet
const digits = 24
const base = 36

/** A new id of 24 characters `0-9a-z`, from the Random service. */
export const randomId: Effect.Effect<string> = Effect.map(Random.Random, (random) => {
  let id = ""
  while (id.length < digits) id += Math.floor(random.nextDoubleUnsafe() * base).toString(base)
  return id
})
