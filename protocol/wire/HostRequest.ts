/**
 * What does one host ask of another, on the subject that is the other's alone?
 *
 * In JSON. What any host can answer from the records is not asked.
 */
import { Schema } from "effect"
import { admin } from "./Admin.ts"
import { HostReport } from "./HostReport.ts"

const { counts, mailboxMessages, residentBytes, residents, state, switches, tally, violations } = HostReport.fields

/** The verbs between hosts, with the forms of their requests and answers. */
export const hostVerbs = {
  /** What only the host knows of itself. */
  report: {
    verb: "report",
    request: Schema.Struct({}),
    answer: Schema.Struct({ state, residents, residentBytes, mailboxMessages, counts, tally, violations, switches })
  },
  /** The `top` busiest of its actors, and how many live there. */
  actors: {
    verb: "actors",
    request: Schema.Struct({ type: Schema.optionalKey(Schema.NonEmptyString), top: Schema.Int }),
    answer: Schema.Struct({ actors: admin.actors.answer.fields.actors, residents: Schema.Int })
  },
  /** It gives all its slots away; answered when it has. */
  drain: {
    verb: "drain",
    request: Schema.Struct({}),
    answer: Schema.Struct({ handovers: Schema.Int, handoverMsMax: Schema.Finite, elapsedMs: Schema.Finite })
  },
  /** It stops an actor that lives there, or has given up there; answered when that is done. */
  release: {
    verb: "release",
    request: admin.release.request,
    /** Whether it had the actor; a host that does not say did not look. */
    answer: Schema.Struct({ had: Schema.optionalKey(Schema.Boolean) })
  }
} as const

/** What a host is told: the verb, and what the verb takes. */
export const HostRequest = Schema.Struct({
  verb: Schema.Literals(["report", "actors", "drain", "release"]),
  request: Schema.Unknown
})
export type HostRequest = typeof HostRequest.Type
