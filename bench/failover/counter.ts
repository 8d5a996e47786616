/** Which actors are asked while their host dies? */
import { Schema } from "effect"
import { defineActor } from "../../runtime/defineActor.ts"

/** Counts, and saves its count. */
export const counter = defineActor({
  type: "bench-failover",
  state: Schema.Int,
  initial: 0,
  messages: { add: { payload: Schema.Null, reply: Schema.Int } },
  step: { add: (count) => ({ state: count + 1, reply: count + 1 }) }
})
