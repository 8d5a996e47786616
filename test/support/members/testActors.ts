/** Which actors do tests of the cluster ask? */
import { Effect, Schema } from "effect"
import { define } from "../../../protocol/wire/ActorMessage.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import * as ActorSubject from "../../../protocol/wire/ActorSubject.ts"
import type { ActorType } from "../../../runtime/Actor.ts"
import { handler, on } from "../../../runtime/handler.ts"
import * as ActorState from "../../../runtime/ActorState.ts"
import { defineActor } from "../../../runtime/defineActor.ts"

const Added = Schema.Struct({ count: Schema.Int, epoch: Schema.Int })
const add = { payload: Schema.Struct({ by: Schema.Int }), reply: Added }

/** Counts, and saves its count with each message. Remembers enough operations for any storm of a test. */
export const Saved = defineActor({
  type: "saved",
  label: "actors",
  state: Schema.Struct({ count: Schema.Int, rings: Schema.Int }),
  initial: { count: 0, rings: 0 },
  messages: {
    add,
    get: { payload: Schema.Null, reply: Schema.Struct({ count: Schema.Int, rings: Schema.Int }), readOnly: true },
    ring: { payload: Schema.Null },
    ringLater: { payload: Schema.Struct({ afterMs: Schema.Int }) },
    burn: { payload: Schema.Null }
  },
  step: {
    add: ({ count, rings }, { by }, { epoch }) => ({
      state: { count: count + by, rings },
      reply: { count: count + by, epoch }
    }),
    get: (state) => ({ reply: state }),
    ring: ({ count, rings }) => ({ state: { count, rings: rings + 1 } }),
    ringLater: (_, { afterMs }, { setTimer }) => ({
      actions: [setTimer("ring", { afterMs, message: "ring", payload: null })]
    }),
    burn: () => {
      throw new Error("this message burns")
    }
  },
  ledger: { operationsMax: 1000 }
})

/** Counts, and keeps its count in memory alone. */
export const Fleeting = defineActor({
  type: "fleeting",
  label: "actors",
  durable: false,
  state: Schema.Struct({ count: Schema.Int }),
  initial: { count: 0 },
  messages: { add },
  step: {
    add: ({ count }, { by }, { epoch }) => ({ state: { count: count + by }, reply: { count: count + by, epoch } })
  }
})

const holdOf = (actor: string) =>
  define({
    actor,
    label: "actors",
    name: "hold",
    payload: Schema.Struct({ forMs: Schema.Int }),
    success: Schema.Struct({ held: Schema.Int }),
    failure: Schema.Never
  })

/** Holds a message for so long, and then saves: to be frozen in between. */
export const hold = holdOf("holder")
/** The same, of an actor that has no room for many messages. */
export const holdNarrow = holdOf("narrow")

const Held = Schema.Struct({ held: Schema.Int })

const holderOf = (message: typeof hold, mailboxMax?: number): ActorType => ({
  name: message.actor,
  label: "actors",
  ...(mailboxMax === undefined ? {} : { mailboxMax }),
  activate: Effect.fnUntraced(function* (activation) {
    const { address, owner, slotEpoch } = activation
    const state = yield* ActorState.open({
      bucket: Stream.actors,
      key: ActorSubject.actorKey(address),
      slotEpoch,
      owner,
      form: Held,
      initial: { held: 0 }
    })
    return handler(address, [
      on(message, ({ forMs }) =>
        Effect.gen(function* () {
          yield* Effect.sleep(forMs)
          const held = state.current().held + 1
          yield* state.save({ held })
          return { held }
        })
      )
    ])
  })
})

/** Actors whose handling takes time. */
export const holder = holderOf(hold)

/** How many messages wait for one of the narrow ones at most. */
export const narrowMailboxMax = 32
/** The same actors with a small mailbox. */
export const narrow = holderOf(holdNarrow, narrowMailboxMax)
