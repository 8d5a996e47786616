/** How is it asked what a read would do? */
import { Effect, Schema } from "effect"
import * as protocol from "../protocol/history/ReadExplanation.ts"
import { MediaType } from "../protocol/wire/Header.ts"
import * as Subject from "../protocol/wire/Subject.ts"
import { askPatiently } from "./askPatiently.ts"
import { type Asked, type ReadOptions, requestBody } from "./requestBody.ts"
import { decoder, type Session } from "./Session.ts"

/** What a read would do, as the host that answered knows it. */
export const ReadExplanation = Schema.toEncoded(protocol.ReadExplanation)
export type ReadExplanation = typeof ReadExplanation.Type

const decode = decoder(ReadExplanation, "the explanation")

/** What a read with these arguments would do. */
export const explain = Effect.fnUntraced(function* (session: Session, asked: Asked<ReadOptions>) {
  const body = yield* requestBody(asked)
  const isCancellable = asked[4]?.signal !== undefined
  const question = { subject: Subject.service.explain, body, accept: MediaType.json, isCancellable }
  const { data } = yield* askPatiently(session, question)
  return yield* decode(data)
})
