/**
 * What does an operator ask of a cluster's hosts and actors, and what is answered?
 *
 * Requests and answers of `seamless.v1.admin.<who>.<verb>`, in JSON. Any host answers; what only one knows, it asks
 * that one.
 */
import { Schema } from "effect"
import { ActorReport, SlotReport } from "./ActorReport.ts"
import { DeadLetter } from "./DeadLetter.ts"
import { HostReport } from "./HostReport.ts"

/** An actor that is named in full. */
const One = Schema.Struct({ type: Schema.NonEmptyString, key: Schema.NonEmptyString })

/** The verbs about hosts, slots and actors: the forms of their requests and answers, and a request to show. */
export const admin = {
  /** Every host that has a session or a slot. */
  hosts: { request: Schema.Struct({}), answer: Schema.Struct({ hosts: Schema.Array(HostReport) }), example: {} },
  /** Every slot that has a record. */
  slots: { request: Schema.Struct({}), answer: Schema.Struct({ slots: Schema.Array(SlotReport) }), example: {} },
  /** The `top` busiest actors that live, of one type or of all; and how many live. */
  actors: {
    request: Schema.Struct({
      type: Schema.optionalKey(Schema.NonEmptyString),
      top: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 })))
    }),
    answer: Schema.Struct({
      actors: Schema.Array(ActorReport),
      residents: Schema.Int,
      /** The labels of hosts that did not answer, or can't: their actors are not among these. */
      silent: Schema.Array(Schema.String)
    }),
    example: { type: "counter", top: 50 }
  },
  /** Has a host, named by its label or its incarnation, give all its slots to the others and take no more. */
  drain: {
    request: Schema.Struct({ host: Schema.NonEmptyString }),
    answer: Schema.Struct({
      hostId: Schema.String,
      incarnation: Schema.String,
      handovers: Schema.Int,
      handoverMsMax: Schema.Finite,
      elapsedMs: Schema.Finite
    }),
    example: { host: "host-a" }
  },
  /** Takes an actor out of the hands of whoever has it: stops it, and gives its epoch, raised; 0 for none. */
  release: {
    request: One,
    answer: Schema.Struct({ ...One.fields, epoch: Schema.Int }),
    example: { type: "counter", key: "clicks" }
  },
  /** The messages upon which actors failed, of one type or of all, the newest last; and how many there are in all. */
  letters: {
    request: Schema.Struct({ type: Schema.optionalKey(Schema.NonEmptyString) }),
    answer: Schema.Struct({ letters: Schema.Array(DeadLetter), total: Schema.Int }),
    example: { type: "counter" }
  },
  /** Sends a dead letter's message again, and removes the letter once the message was handled. */
  replay: {
    request: Schema.Struct({ id: Schema.NonEmptyString }),
    answer: Schema.Struct({ id: Schema.String, ...One.fields }),
    example: { id: "k3v9x0" }
  }
} as const

/** The name of a verb about hosts, slots and actors. */
export type HostAdminVerb = keyof typeof admin
