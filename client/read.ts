/** How are bars asked for, and what is made of the answer? */
import { Effect } from "effect"
import * as FrameCodec from "../protocol/frame/FrameCodec.ts"
import { arrowMetaKey, dictionaryParameter, MediaType } from "../protocol/wire/Header.ts"
import * as Subject from "../protocol/wire/Subject.ts"
import { type HistoryFrame, toHistoryFrame } from "./HistoryFrame.ts"
import { askPatiently } from "./askPatiently.ts"
import { HistoryMeta, type HistoryResult } from "./HistoryResult.ts"
import { type Asked, budgetOf, type ReadOptions, requestBody } from "./requestBody.ts"
import type { SeamlessError } from "./SeamlessError.ts"
import { decoder, malformed, type Session } from "./Session.ts"

const decodeArrow = (bytes: Uint8Array): Effect.Effect<HistoryFrame, SeamlessError> =>
  Effect.try({
    try: () => toHistoryFrame(FrameCodec.toTable(bytes)),
    catch: (cause) => malformed("the frame", String(cause))
  })

const decodeMeta = decoder(HistoryMeta, "the account of the answer")

// a text that many rows have comes once
const wanted = `${MediaType.arrow}; ${dictionaryParameter}=true`

const textEncoder = new TextEncoder()

/** The rows and their account, or the rows alone where the caller wants no account. */
export const read = Effect.fnUntraced(function* (
  session: Session,
  asked: Asked<ReadOptions>
): Effect.fn.Return<HistoryResult | HistoryFrame, SeamlessError> {
  const options = asked[4] ?? {}
  // said each time: what the service does where nothing is said can be set by its operator
  const returnMeta = options.returnMeta ?? true
  const body = { ...(yield* requestBody(asked)), returnMeta }
  const reply = yield* askPatiently(session, {
    subject: Subject.service.read,
    body,
    accept: wanted,
    budgetMs: budgetOf(options),
    isCancellable: options.signal !== undefined
  })
  const df = yield* decodeArrow(reply.data)
  if (!returnMeta) return df
  return { df, meta: yield* decodeMeta(textEncoder.encode(df.schema.metadata.get(arrowMetaKey) ?? "")) }
})
