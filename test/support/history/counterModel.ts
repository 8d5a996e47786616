/** What is a counter like that tells each client its new value? */
import type { Model } from "./Operation.ts"

/** What clients ask of a counter. */
export type CounterInput = { readonly _tag: "add"; readonly amount: number } | { readonly _tag: "read" }

/** A counter: an addition gives the new value, a read the one that stands. */
export const counterModel: Model<number, CounterInput, number> = {
  initial: 0,
  keyOf: String,
  idleStaysIdle: true,
  step: (value, input, output) => {
    const next = input._tag === "add" ? value + input.amount : value
    return output === undefined || output === next ? next : undefined
  }
}
