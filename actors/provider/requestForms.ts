/**
 * In which form is a request, and in which is its answer wanted?
 *
 * Its headers say so. What is not served is refused with the forms that are.
 */
import { Effect, Option } from "effect"
import { InvalidRequest } from "../../protocol/history/Errors.ts"
import * as Codec from "../../protocol/wire/Codec.ts"
import { dictionaryParameter, Header, MediaType } from "../../protocol/wire/Header.ts"
import type { Message } from "../../runtime/Mesh.ts"
import type { AnswerForm } from "./historyReply.ts"

/** One of the forms that a header lists, with its parameters as they are written. */
interface Form {
  readonly name: string
  readonly parameters: ReadonlyArray<string>
}

/** The forms that a header lists, in its order. */
const formsOf = (header: string): ReadonlyArray<Form> =>
  header.split(",").map((form) => {
    const [name = "", ...parameters] = form.split(";").map((part) => part.trim().toLowerCase())
    return { name, parameters }
  })

/** What a request's body says. */
export const bodyOf = ({ data, headers }: Message): Effect.Effect<unknown, InvalidRequest> => {
  const form = headers.get(Header.contentType) ?? MediaType.json
  if (formsOf(form)[0]?.name !== MediaType.json) {
    return Effect.fail(
      new InvalidRequest({ field: Header.contentType, problem: `${form} is not served: send ${MediaType.json}` })
    )
  }
  return Option.match(Codec.fromJson(data), {
    onNone: () => Effect.fail(new InvalidRequest({ field: "body", problem: "is no JSON" })),
    onSome: Effect.succeed
  })
}

/** The form that the answer is wanted in: the first of those listed that is served. */
export const acceptOf = ({ headers }: Message): Effect.Effect<AnswerForm, InvalidRequest> => {
  const accept = headers.get(Header.accept) ?? MediaType.json
  const served: ReadonlyArray<string> = [MediaType.arrow, MediaType.json, "*/*"]
  const form = formsOf(accept).find(({ name }) => served.includes(name))
  if (form !== undefined) {
    if (form.name !== MediaType.arrow) return Effect.succeed("json")
    return Effect.succeed(form.parameters.includes(`${dictionaryParameter}=true`) ? "dictionary" : "text")
  }
  const problem = `${accept} is not served: ask for ${MediaType.json} or ${MediaType.arrow}`
  return Effect.fail(new InvalidRequest({ field: Header.accept, problem }))
}
