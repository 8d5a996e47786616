/**
 * Is what came in a request that its verb takes?
 *
 * Whoever asks is a person or a script of one: all that is wrong is told at once, and what would be right.
 */
import { Effect, Option, Schema, SchemaIssue } from "effect"
import type { admin, AdminVerb } from "../protocol/wire/Admin.ts"
import { InvalidAdminRequest } from "../protocol/wire/AdminErrors.ts"
import * as Codec from "../protocol/wire/Codec.ts"

/** By verb: a request that would be taken. */
const examples: { readonly [V in AdminVerb]: (typeof admin)[V]["request"]["Type"] } = {
  hosts: {},
  slots: {},
  actors: { type: "counter", top: 50 },
  drain: { host: "host-a" },
  release: { type: "counter", key: "clicks" },
  letters: { type: "counter" },
  replay: { id: "k3v9x0" }
}

const formatIssue = SchemaIssue.makeFormatterStandardSchemaV1()

const problemsOf = (issue: SchemaIssue.Issue): string =>
  formatIssue(issue)
    .issues.map(({ message, path = [] }) => {
      const field = path.map((part) => String(typeof part === "object" ? part.key : part)).join(".")
      const problem = message === "Missing key" ? "is missing" : message
      return field === "" ? problem : `${field}: ${problem}`
    })
    .join("; ")

/** The reading of the requests of one verb. An empty body is as good as one without fields. */
export const requestReader = <Request>(verb: AdminVerb, form: Schema.Codec<Request>) => {
  const decode = Schema.decodeUnknownEffect(form, { errors: "all", onExcessProperty: "error" })
  const right = JSON.stringify(examples[verb])
  const invalid = (problem: string) => new InvalidAdminRequest({ verb, problem, right })
  return (data: Uint8Array): Effect.Effect<Request, InvalidAdminRequest> => {
    const body = data.length === 0 ? Option.some<unknown>({}) : Codec.fromJson(data)
    if (Option.isNone(body)) return Effect.fail(invalid("it is no JSON"))
    return Effect.mapError(decode(body.value), ({ issue }) => invalid(problemsOf(issue)))
  }
}
