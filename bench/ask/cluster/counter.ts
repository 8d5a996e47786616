/** What do host and client of Effect Cluster have in common? The entity and its message. */
import { Schema } from "effect"
import { Entity } from "effect/cluster"
import { Rpc } from "effect/rpc"

const Count = Rpc.make("Count", {
  payload: { text: Schema.String },
  success: Schema.Struct({ count: Schema.Int, bytes: Schema.Int })
})

/** An entity that counts its messages. */
export const Counter = Entity.make("Counter", [Count])
