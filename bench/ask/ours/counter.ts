/** What do host and client of ours have in common? The two actors, which differ in whether their count is saved. */
import { Schema } from "effect"
import { defineActor } from "../../../runtime/defineActor.ts"

const counter = (type: string, durable: boolean) =>
  defineActor({
    type,
    durable,
    state: Schema.Int,
    initial: 0,
    messages: {
      count: {
        payload: Schema.Struct({ text: Schema.String }),
        reply: Schema.Struct({ count: Schema.Int, bytes: Schema.Int })
      }
    },
    step: {
      count: (count, { text }) => ({ state: count + 1, reply: { count: count + 1, bytes: text.length } })
    }
  })

/** A count that is gone with its actor. */
export const volatileCounter = counter("bench-volatile", false)

/** A count that is saved before it is answered. */
export const durableCounter = counter("bench-durable", true)
