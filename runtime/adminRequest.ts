/**
 * Is what came in a request that its verb takes?
 *
 * Whoever asks is a person or a script of one: all that is wrong is told at once, and what would be right.
 */
import { Effect, Option, Schema, SchemaIssue } from "effect"
import { InvalidAdminRequest } from "../protocol/wire/AdminErrors.ts"
import * as Codec from "../protocol/wire/Codec.ts"

const formatIssue = SchemaIssue.makeFormatterStandardSchemaV1()

const problemsOf = (issue: SchemaIssue.Issue): string =>
  formatIssue(issue)
    .issues.map(({ message, path = [] }) => {
      const field = path.map((part) => String(typeof part === "object" ? part.key : part)).join(".")
      const problem = message === "Missing key" ? "is missing" : message
      return field === "" ? problem : `${field}: ${problem}`
    })
    .join("; ")

/** What a verb takes. */
export interface RequestForm<Request> {
  readonly request: Schema.Codec<Request>
  /** A request that would be taken. */
  readonly example: NoInfer<Request>
}

/** The reading of the requests of one verb. An empty body is as good as one without fields. */
export const requestReader = <Request>(verb: string, { example, request }: RequestForm<Request>) => {
  const decode = Schema.decodeUnknownEffect(request, { errors: "all", onExcessProperty: "error" })
  const right = JSON.stringify(example)
  const invalid = (problem: string) => new InvalidAdminRequest({ verb, problem, right })
  return (data: Uint8Array): Effect.Effect<Request, InvalidAdminRequest> => {
    const body = data.length === 0 ? Option.some<unknown>({}) : Codec.fromJson(data)
    if (Option.isNone(body)) return Effect.fail(invalid("it is no JSON"))
    return Effect.mapError(decode(body.value), ({ issue }) => invalid(problemsOf(issue)))
  }
}
