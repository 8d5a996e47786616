/** What does a host tell of itself? */
import { Schema } from "effect"
import { ViolationCounts } from "./Invariant.ts"

/** Messages that this process has sent to actors, by how they ended. `sent` is the sum of all the others. */
export const Tally = Schema.Struct({
  sent: Schema.Int,
  /** Answered by the actor, or, of those that were told, handled. */
  replied: Schema.Int,
  rejected: Schema.Int,
  expired: Schema.Int,
  deadLettered: Schema.Int,
  /** Told to a host that had them in a mailbox when it died. */
  lost: Schema.Int,
  /** Not ended yet. */
  pending: Schema.Int
})
export type Tally = typeof Tally.Type

/** What a host has done since it started. */
export const HostCounts = Schema.Struct({
  activations: Schema.Int,
  passivations: Schema.Int,
  handled: Schema.Int,
  rejected: Schema.Int,
  expired: Schema.Int,
  deadLettered: Schema.Int,
  /** Saves that failed because another activation owns the record by now. */
  fenced: Schema.Int,
  /** Slots that were claimed. */
  claims: Schema.Int,
  /** Slots that were confirmed after the host had lost touch. */
  confirms: Schema.Int,
  /** Slots that were handed to another host. */
  handovers: Schema.Int,
  /** The longest that handing one over took, in milliseconds. */
  handoverMsMax: Schema.Finite
})
export type HostCounts = typeof HostCounts.Type

/** How a host is. `suspended`: it lost touch with NATS, and writes nothing until its slots are confirmed. */
export const HostState = Schema.Literals(["serving", "draining", "drained", "suspended", "unreachable"])
export type HostState = typeof HostState.Type

/** The status that a host in that state tells whoever asks for its health. */
export const healthStatus = (state: HostState): string => (state === "serving" ? "ok" : state)

/** One host. What an unreachable one, or one of version 1, does not tell is absent. */
export const HostReport = Schema.Struct({
  incarnation: Schema.String,
  hostId: Schema.String,
  protocolVersion: Schema.Int,
  labels: Schema.Array(Schema.String),
  /** Epoch milliseconds. */
  startedAt: Schema.Finite,
  state: HostState,
  /** How many slots it owns, as the records say. */
  slots: Schema.Int,
  residents: Schema.optionalKey(Schema.Int),
  residentBytes: Schema.optionalKey(Schema.Int),
  mailboxMessages: Schema.optionalKey(Schema.Int),
  counts: Schema.optionalKey(HostCounts),
  tally: Schema.optionalKey(Tally),
  /** What did not hold that must always hold; absent where there is none. */
  violations: Schema.optionalKey(ViolationCounts),
  /** Switches that somebody has turned, as the host knows them; absent where there are none. */
  switches: Schema.optionalKey(Schema.Record(Schema.String, Schema.Boolean))
})
export type HostReport = typeof HostReport.Type
