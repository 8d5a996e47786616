/** How are more rows read than anybody holds at once? */
import { Effect, Option, type Scope } from "effect"
import type { HistoryFrame } from "./HistoryFrame.ts"
import type { HistoryMeta } from "./HistoryResult.ts"
import * as PartReader from "./PartReader.ts"
import { decodeArrow, decodeMeta, metaTextOf, questionOf } from "./read.ts"
import type { Asked, ReadOptions } from "./requestBody.ts"
import { SeamlessError } from "./SeamlessError.ts"
import type { Session } from "./Session.ts"
import { type Pull, type Sequence, toIterable } from "./toIterable.ts"

/** What can be asked of `stream` beside the range: what can be asked of `read`. */
export type StreamOptions = Omit<ReadOptions, "returnMeta">

/** Rows in the order of time, some at a time. */
export interface HistoryStream extends Sequence<HistoryFrame> {
  /**
   * The account of all rows, when they have been gone through. Rejects where they are not: an error has ended them, or
   * the loop was left.
   */
  readonly meta: Promise<HistoryMeta>
}

const left = () =>
  new SeamlessError({
    tag: "Cancelled",
    code: 499,
    message: "there is no account of rows that were not gone through to their end"
  })

/** Where the account goes. */
type Settled = (meta: HistoryMeta) => void

const openFrames = Effect.fnUntraced(function* (
  session: Session,
  asked: Asked<StreamOptions>,
  settle: Settled
): Effect.fn.Return<Pull<HistoryFrame>, SeamlessError, Scope.Scope> {
  const { question } = yield* questionOf(asked)
  const pull = yield* PartReader.open(session, { ...question, isCancellable: true })
  return Effect.gen(function* () {
    for (;;) {
      const message = yield* pull
      if (Option.isNone(message)) return Option.none()
      const df = yield* decodeArrow(message.value.data)
      const text = metaTextOf(df)
      if (text !== undefined) settle(yield* decodeMeta(text))
      // the account may come alone
      if (df.length > 0) return Option.some(df)
    }
  })
})

/** The rows of a range, some at a time; nothing is asked for before the first are. */
export const stream = (session: Session, asked: Asked<StreamOptions>): HistoryStream => {
  const { promise, reject, resolve } = Promise.withResolvers<HistoryMeta>()
  // who has no use for the account need not look at it
  promise.catch(() => undefined)
  // of no effect where it is settled
  const onEnd = (error = left()) => reject(error)
  return Object.assign(toIterable(openFrames(session, asked, resolve), asked[4], onEnd), { meta: promise })
}
