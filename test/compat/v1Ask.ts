/**
 * How did version 1 ask an actor, wherever it lived?
 *
 * A request goes to the subject of the actor's slot. Where nobody listens, nobody can, or no answer comes within 2
 * seconds, it is sent again as a new message, until the asker's time is over.
 */
import { headers as makeHeaders, type NatsConnection } from "@nats-io/transport-node"
import { setTimeout as sleep } from "node:timers/promises"
import { isReply, pack, unpack, type V1Envelope, type V1Reply, type V1Undelivered, vectors } from "./v1Forms.ts"
import { slotOf } from "./v1Placement.ts"
import { slotSubject } from "./V1Slots.ts"

/** What is asked, of whom. */
export interface V1Ask {
  readonly type: string
  readonly key: string
  readonly message: string
  readonly payload: unknown
  readonly budgetMs: number
}

/** How an ask ended. */
export type V1Answer =
  | { readonly body: unknown }
  | { readonly error: unknown }
  | { readonly undelivered: V1Undelivered }

const resendAfterMs = 2000
const firstPauseMs = 20
const pauseMsMax = 250
const budgetMsMax = 60_000
const { headers: recordedHeaders, value: recorded } = vectors.asks.ensure.request
const { actorUnavailable, deadlineExceeded } = vectors.refusals

const digits = "0123456789abcdefghijklmnopqrstuvwxyz"

/** An id of the recorded form. */
export const newId = (): string =>
  Array.from(recorded.id, () => digits[Math.floor(Math.random() * digits.length)]).join("")

/** The reason that version 1 gives for an actor that no host could ask. */
export const unavailable = (address: string, reason: string): V1Undelivered => ({
  ...actorUnavailable.reply.value.undelivered!,
  address,
  reason
})

const toAnswer = ({ body, error, undelivered }: V1Reply): V1Answer => {
  if (undelivered !== undefined) return { undelivered }
  return error === undefined ? { body } : { error }
}

const once = async (
  nc: NatsConnection,
  envelope: V1Envelope,
  onUnreadable: (value: unknown) => void
): Promise<V1Answer> => {
  const headers = makeHeaders()
  for (const [name, value] of Object.entries(recordedHeaders)) headers.set(name, value)
  const timeout = Math.max(1, Math.min(envelope.budgetMs, resendAfterMs))
  const address = `${envelope.to.type}/${envelope.to.key}`
  const reply = await nc
    .request(slotSubject(slotOf(envelope.to)), pack(envelope), { headers, timeout })
    .catch((cause: unknown) => String(cause))
  if (typeof reply === "string") return { undelivered: unavailable(address, reply) }
  const value = unpack(reply.data)
  if (isReply(value)) return toAnswer(value)
  onUnreadable(value)
  return { undelivered: unavailable(address, "the answer can't be read") }
}

/** Asks until an actor answers or the time is over. */
export const route = async (
  nc: NatsConnection,
  { budgetMs, key, message, payload, type }: V1Ask,
  onUnreadable: (value: unknown) => void
): Promise<V1Answer> => {
  const deadlineMs = performance.now() + Math.min(budgetMs, budgetMsMax)
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, pauseMsMax)) {
    const leftMs = deadlineMs - performance.now()
    if (leftMs <= 0) break
    const to = { type, key }
    const envelope = { ...recorded, to, id: newId(), budgetMs: leftMs, body: { message, payload } }
    const answer = await once(nc, envelope, onUnreadable)
    if (!("undelivered" in answer && answer.undelivered._tag === "ActorUnavailable")) return answer
    await sleep(Math.max(0, Math.min(pauseMs, deadlineMs - performance.now())))
  }
  return { undelivered: { ...deadlineExceeded.reply.value.undelivered!, waitingFor: `${type}/${key}`, budgetMs } }
}
