/**
 * How does an answer that does not fit into one message get to its reader?
 *
 * In parts of about one size, each a whole message of its own, as many at once as the reader takes. Rows that have been
 * sent are forgotten: a host holds a few parts, however long the answer is.
 */
import { Effect, Option } from "effect"
import * as Frame from "../../protocol/frame/Frame.ts"
import { ResultTooLarge } from "../../protocol/history/Errors.ts"
import type { HistoryMeta } from "../../protocol/history/HistoryResult.ts"
import { Header } from "../../protocol/wire/Header.ts"
import { limits, rowBytesGuess } from "../../protocol/wire/Limits.ts"
import type { Credit } from "../../runtime/Credits.ts"
import { Deadline, enforce, monotonicMs, remainingMs } from "../../runtime/Deadline.ts"
import type { Headers } from "../../runtime/Mesh.ts"
import { type Reply, silence } from "../../runtime/ServiceEndpoint.ts"
import { accountRoom } from "./accountRoom.ts"
import { Refused } from "./read.ts"
import type { RowFlow } from "./readParts.ts"

/** How parts are made and sent. */
export interface PartOptions {
  readonly credit: Credit
  /** The bytes of rows, with the account where there is one. */
  readonly encode: (df: Frame.Frame, meta: HistoryMeta | undefined) => Effect.Effect<Reply>
  readonly send: (data: Uint8Array, headers: Headers) => void
  /** The most that a message may have. */
  readonly bytesMax: number
  /** About how much a part has. */
  readonly partBytes?: number
}

/** Rows that wait to be sent, and whether more will come. */
interface Waiting {
  readonly empty: Frame.Frame
  frames: Array<Frame.Frame>
  rows: number
  ended: boolean
  /** The time before which all rows have been sent. */
  sentMs: number
  /** About the size of a row, as the last part had it. */
  rowBytes: number
  /** Of the whole answer, when it was asked for. */
  account?: Effect.Success<RowFlow<never>["account"]>
}

const rowsWanted = ({ rowBytes }: Waiting, { bytesMax, partBytes = limits.partBytes }: PartOptions): number =>
  Math.max(1, Math.floor(Math.min(partBytes, bytesMax) / rowBytes))

// the rest of the time for a part is left for its rows on their way, and for what is read in larger pieces
const gatheringShare = 0.5

/**
 * Loads until there are more rows than a part takes, or all, or until much of the time for a part is over: one with few
 * rows, or with none, says that its reader is worked for, and has the cursor from which that need not be done again.
 */
const load = Effect.fnUntraced(function* (waiting: Waiting, flow: RowFlow<never>, options: PartOptions) {
  const untilMs = (yield* monotonicMs) + (yield* remainingMs) * gatheringShare
  while (!waiting.ended && waiting.rows <= rowsWanted(waiting, options)) {
    const next = yield* flow.next
    if (Option.isSome(next) && (yield* monotonicMs) >= untilMs) {
      waiting.frames.push(next.value)
      waiting.rows += Frame.length(next.value)
      return
    }
    if (Option.isNone(next)) waiting.ended = true
    else {
      waiting.frames.push(next.value)
      waiting.rows += Frame.length(next.value)
    }
  }
})

/** The rows that wait, as one frame with the columns of the schema. */
const joined = (waiting: Waiting): Frame.Frame => {
  const { empty, frames } = waiting
  const frame = frames.length === 1 ? frames[0]! : Frame.concat([empty, ...frames])
  waiting.frames = [frame]
  return frame
}

/** The first rows that wait as a part: fewer and fewer of them until it is carried. */
const cut = Effect.fnUntraced(function* (waiting: Waiting, options: PartOptions) {
  const all = joined(waiting)
  let count = Math.min(waiting.rows, rowsWanted(waiting, options))
  for (;;) {
    const rows = Frame.slice(all, 0, count)
    const reply = yield* options.encode(rows, undefined)
    const bytes = reply.data.length
    if (bytes <= options.bytesMax) {
      if (count > 0) waiting.rowBytes = Math.max(1, bytes / count)
      waiting.frames = [Frame.slice(all, count, waiting.rows)]
      waiting.rows -= count
      return { reply, rows }
    }
    if (count <= 1) return yield* new ResultTooLarge({ bytes, bytesMax: options.bytesMax })
    count = Math.ceil(count / 2)
  }
})

/** All rows that wait with the account, if that is carried. */
const last = Effect.fnUntraced(function* (waiting: Waiting, meta: HistoryMeta | undefined, options: PartOptions) {
  const reply = yield* options.encode(joined(waiting), meta)
  const { bytesMax } = options
  if (reply.data.length <= bytesMax) return Option.some(reply)
  if (waiting.rows > 0) return Option.none()
  return yield* new ResultTooLarge({ bytes: reply.data.length, bytesMax, ofAccount: true })
})

const withHeaders = ({ data, headers }: Reply, more: Headers): Reply => ({
  data,
  headers: new Map([...headers, ...more])
})

/** The time before which all rows have been sent, with those of one more part. */
const sentWith = ({ rows: left, sentMs }: Waiting, rows: Frame.Frame, { barMs, goneByMs }: RowFlow<never>): number =>
  Math.max(sentMs, left === 0 ? goneByMs() : (rows.eventTimeMs.at(-1) ?? -Infinity) + barMs)

/** Each part but the first has the whole of the caller's time again: what the reader takes its time for is its own. */
const inTime =
  (waitMs: number) =>
  <A, E, R>(self: Effect.Effect<A, E, R>) =>
    Effect.gen(function* () {
      const deadline = (yield* monotonicMs) + waitMs
      return yield* self.pipe(enforce("the next part"), Effect.provideService(Deadline, deadline))
    })

/** What comes next of an answer: a part with rows behind it, or its end. */
const nextPart = Effect.fnUntraced(function* (waiting: Waiting, flow: RowFlow<never>, options: PartOptions) {
  yield* load(waiting, flow, options)
  if (waiting.ended && waiting.rows <= rowsWanted(waiting, options)) {
    waiting.account ??= yield* flow.account
    const { error, meta } = waiting.account
    if (error !== undefined) return yield* new Refused({ error, result: { df: flow.empty, meta } })
    const reply = yield* last(waiting, flow.returnMeta ? meta : undefined, options)
    if (Option.isSome(reply)) return { reply: reply.value, rows: undefined }
  }
  return yield* cut(waiting, options)
})

/**
 * Sends an answer in parts, and gives the last of them; silence where the reader grants nothing any more. One that is
 * a single part has none of their headers, unless it goes on from a cursor.
 */
export const sendParts = Effect.fnUntraced(function* (flow: RowFlow<never>, options: PartOptions) {
  const { credit, send } = options
  const waiting: Waiting = {
    empty: flow.empty,
    frames: [],
    rows: 0,
    ended: false,
    sentMs: flow.goneByMs(),
    rowBytes: rowBytesGuess
  }
  const room = accountRoom(flow, options)
  for (let part = 0; ; part++) {
    const waitMs = part === 0 ? yield* flow.firstWaitMs : flow.waitMs
    const { reply, rows } = yield* inTime(waitMs)(Effect.andThen(room, nextPart(waiting, flow, options)))
    if (rows === undefined && part === 0 && !flow.isResumed) return reply
    if (!(yield* credit.take)) return silence
    const headers: Array<[string, string]> = [
      [Header.part, String(part)],
      [Header.flow, credit.subject]
    ]
    if (rows === undefined) return withHeaders(reply, new Map([...headers, [Header.last, "true"]]))
    waiting.sentMs = sentWith(waiting, rows, flow)
    send(reply.data, new Map([...reply.headers, ...headers, [Header.cursor, flow.cursorAt(waiting.sentMs)]]))
  }
})
