/**
 * How does a strategy live in the cluster?
 *
 * As an actor for each symbol. Its orders carry its epoch: an activation that was replaced is refused. Without a bar
 * for a minute it sells, on whichever host it is by then. Try `npx node examples/strategy.ts nats://127.0.0.1:4222`
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect, Schema } from "effect"
import { Member } from "seamless/cluster"
import { defineActor } from "seamless/runtime"

const Order = Schema.Struct({ side: Schema.Literals(["buy", "sell"]), price: Schema.Finite, epoch: Schema.Int })

/** Takes the orders of one symbol, and none of an older epoch than it has seen. */
export const Desk = defineActor({
  type: "desk",
  state: Schema.Struct({ orders: Schema.Array(Order), epoch: Schema.Int }),
  initial: { orders: [], epoch: 0 },
  messages: { place: { payload: Order }, list: { payload: Schema.Null, reply: Schema.Array(Order), readOnly: true } },
  step: {
    place: ({ epoch, orders }, order) =>
      order.epoch < epoch ? {} : { state: { orders: [...orders, order], epoch: order.epoch } },
    list: ({ orders }) => ({ reply: orders })
  }
})

const average = (values: ReadonlyArray<number>) => values.reduce((sum, value) => sum + value, 0) / values.length
/** Buys when the average of 3 closes is above that of 6, sells when it is below. */
export const Crossover = defineActor({
  type: "crossover",
  state: Schema.Struct({ closes: Schema.Array(Schema.Finite), isLong: Schema.Boolean }),
  initial: { closes: [], isLong: false },
  messages: { bar: { payload: Schema.Struct({ close: Schema.Finite }) }, silence: { payload: Schema.Null } },
  step: {
    bar: ({ closes, isLong }, { close }, { epoch, key, setTimer }) => {
      const last = [...closes, close].slice(-6)
      const state = { closes: last, isLong: last.length === 6 && average(last.slice(-3)) > average(last) }
      const watch = setTimer("silence", { afterMs: 60_000, message: "silence", payload: null })
      if (state.isLong === isLong) return { state, actions: [watch] }
      const order = Desk.ref(key).send("place", { side: isLong ? "sell" : "buy", price: close, epoch })
      return { state, actions: [watch, order] }
    },
    silence: ({ closes, isLong }, _, { epoch, key }) => {
      const order = Desk.ref(key).send("place", { side: "sell", price: closes.at(-1) ?? 0, epoch })
      return { state: { closes: [], isLong: false }, actions: isLong ? [order] : [] }
    }
  }
})

if (import.meta.main) {
  const [servers = "nats://127.0.0.1:4222", symbol = `BTC/BUSD ${process.pid}`] = process.argv.slice(2)
  const main = Effect.gen(function* () {
    for (const close of [10, 10, 10, 10, 10, 10, 12, 14, 13, 9, 6]) yield* Crossover.ref(symbol).tell("bar", { close })
    const list = Effect.delay(Desk.ref(symbol).ask("list", null), "50 millis")
    yield* Console.log(yield* Effect.repeat(list, { until: ({ length }) => length >= 2 }))
  })
  const member = Member.layer({ servers, hostId: `strategy-${process.pid}`, types: [Desk, Crossover] })
  NodeRuntime.runMain(Effect.provide(main, member))
}
