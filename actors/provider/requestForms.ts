/**
 * In which form is a request, and in which is its answer wanted?
 *
 * Its headers say so. What is not served is refused with the forms that are.
 */
import { Effect, Option } from "effect"
import { InvalidRequest } from "../../protocol/history/Errors.ts"
import * as BodyForm from "../../protocol/wire/BodyForm.ts"
import { dictionaryParameter, Header, MediaType } from "../../protocol/wire/Header.ts"
import { RequestTooLarge } from "../../protocol/wire/LimitErrors.ts"
import { limits } from "../../protocol/wire/Limits.ts"
import type { Message } from "../../runtime/Mesh.ts"
import type { AnswerForm } from "./historyReply.ts"

const notServed = (field: string, given: string, right: string): Effect.Effect<never, InvalidRequest> =>
  Effect.fail(new InvalidRequest({ field, problem: `${given} is not served: ${right}` }))

/** What a request's body says; a body of more bytes than that is not looked at. */
export const bodyOf = (
  { data, headers }: Message,
  bytesMax: number = limits.requestBytes
): Effect.Effect<unknown, InvalidRequest | RequestTooLarge> => {
  if (data.length > bytesMax) return Effect.fail(new RequestTooLarge({ bytes: data.length, bytesMax }))
  const contentType = headers.get(Header.contentType)
  const form = BodyForm.contentForm(contentType)
  if (form === undefined) {
    return notServed(Header.contentType, String(contentType), `send ${MediaType.json} or ${MediaType.messagePack}`)
  }
  return Option.match(BodyForm.decodeBody(form, data), {
    onNone: () => {
      const problem = form === "json" ? "is no JSON" : "is no plain MessagePack: maps with text keys, no extensions"
      return Effect.fail(new InvalidRequest({ field: "body", problem }))
    },
    onSome: Effect.succeed
  })
}

/** The form that the answer to a read is wanted in: of those that are served, the one wanted most. */
export const acceptOf = ({ headers }: Message): Effect.Effect<AnswerForm, InvalidRequest> => {
  const accept = headers.get(Header.accept)
  for (const { name, parameters } of BodyForm.acceptedForms(accept)) {
    if (name === MediaType.arrow) {
      return Effect.succeed(parameters.includes(`${dictionaryParameter}=true`) ? "dictionary" : "text")
    }
    const form = BodyForm.answerForm(name)
    if (form !== undefined) return Effect.succeed(form)
  }
  const { arrow, json, messagePack } = MediaType
  return notServed(Header.accept, String(accept), `ask for ${json}, ${messagePack} or ${arrow}`)
}

/** The form that any other answer is wanted in, which is never Arrow. */
export const plainAcceptOf = ({ headers }: Message): Effect.Effect<BodyForm.BodyForm, InvalidRequest> => {
  const accept = headers.get(Header.accept)
  const form = BodyForm.answerForm(accept)
  return form === undefined
    ? notServed(Header.accept, String(accept), `ask for ${MediaType.json} or ${MediaType.messagePack}`)
    : Effect.succeed(form)
}
