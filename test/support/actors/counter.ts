/** Which actors does a test have a host run by the name of their file? */
import { Schema } from "effect"
import { defineActor } from "../../../runtime/defineActor.ts"

const By = Schema.Struct({ by: Schema.Int })

/** Counts up, and down as long as there is something to take: else it fails upon the message. */
export const Counter = defineActor({
  type: "counter",
  label: "counters",
  state: Schema.Struct({ count: Schema.Int }),
  initial: { count: 0 },
  messages: {
    add: { payload: By, reply: Schema.Int },
    spend: { payload: By, reply: Schema.Int }
  },
  step: {
    add: ({ count }, { by }) => ({ state: { count: count + by }, reply: count + by }),
    // the mistake on purpose: there is no text of a negative length
    spend: ({ count }, { by }) => {
      const left = "x".repeat(count - by).length
      return { state: { count: left }, reply: left }
    }
  }
})

/** Keeps nothing, so that it has no record. */
const Echo = defineActor({
  type: "echo",
  label: "counters",
  durable: false,
  state: Schema.Null,
  initial: null,
  messages: { say: { payload: Schema.String, reply: Schema.String } },
  step: { say: (_, text) => ({ reply: text }) }
})

/** Types may come in a list, too. */
export const others = [Echo]
