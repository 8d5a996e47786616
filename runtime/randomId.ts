/** How do things get names that no other thing has? */
import { Effect, Random } from "effect"

// 24 digits of base 36 are 124 bits: no two of a cluster's lifetime meet
const digits = 24

/** A new id of 24 characters `0-9a-z`, from the Random service. */
export const randomId: Effect.Effect<string> = Effect.map(
  Effect.all(Array.from({ length: digits }, () => Random.nextIntBetween(0, 35))),
  (numbers) => numbers.map((number) => number.toString(36)).join("")
)
