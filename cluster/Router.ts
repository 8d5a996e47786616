/**
 * How does a message find the owner of its actor?
 *
 * The slot's subject has one subscriber, its owner. Nobody there means that ownership is moving: the asker waits and
 * tries again, as long as its deadline allows.
 */
import { Effect, Option, Schedule, Schema } from "effect"
import type { MessageBody } from "../protocol/wire/ActorMessage.ts"
import * as Codec from "../protocol/wire/Codec.ts"
import { type Address, addressText, envelopeFormat, ReplyEnvelope } from "../protocol/wire/Envelope.ts"
import { ActorUnavailable } from "../protocol/wire/Errors.ts"
import * as Subject from "../protocol/wire/Subject.ts"
import type { Answer } from "../runtime/Actor.ts"
import { askBudgetMsMax, type AskFailure, envelop } from "../runtime/ActorSystem.ts"
import { enforce, withBudget } from "../runtime/Deadline.ts"
import { Mesh } from "../runtime/Mesh.ts"
import { traceHeaders } from "../runtime/telemetry/Propagation.ts"
import { slotOf } from "./Placement.ts"

const decodeReply = Schema.decodeUnknownOption(ReplyEnvelope)
const encodeReply = Schema.encodeSync(ReplyEnvelope)

/** The bytes of an answer. */
export const packReply = (reply: Omit<ReplyEnvelope, "format">): Uint8Array =>
  Codec.pack(encodeReply({ format: envelopeFormat, ...reply }))

// a request that got lost with its host is sent again: actors take effect once, whatever comes twice
const resendAfterMs = 2000
const backoff = Schedule.min([Schedule.exponential("20 millis"), Schedule.spaced("250 millis")])

const unreadable = (address: string) => new ActorUnavailable({ address, reason: "the answer can't be read" })

const once = Effect.fnUntraced(function* (to: Address, body: MessageBody) {
  const mesh = yield* Mesh
  const address = addressText(to)
  const envelope = yield* envelop(to, body, "")
  const reply = yield* mesh
    .request(Subject.slot(slotOf(to)), Codec.pack(envelope), {
      headers: yield* traceHeaders,
      timeoutMs: Math.min(envelope.budgetMs, resendAfterMs)
    })
    .pipe(Effect.mapError((error) => new ActorUnavailable({ address, reason: error.message || error._tag })))
  const routed = Option.flatMap(Codec.unpack(reply.data), decodeReply)
  if (Option.isNone(routed)) return yield* unreadable(address)
  const { body: answer, error, undelivered } = routed.value
  if (undelivered !== undefined) return yield* Effect.fail(undelivered)
  return error === undefined ? { body: answer } : { error }
})

/** Delivers to the owner of the address, wherever it is, within the current deadline. */
export const route = (to: Address, body: MessageBody): Effect.Effect<Answer, AskFailure, Mesh> =>
  once(to, body).pipe(
    Effect.retry({ schedule: backoff, while: (error) => error._tag === "ActorUnavailable" }),
    enforce(addressText(to)),
    withBudget(askBudgetMsMax)
  )
