/**
 * Where does an answer in parts go on?
 *
 * A cursor is opaque to readers. It holds the version of the coverage that is read and the time from which on rows are
 * owed, so any host can go on from it; what the rows before that come to, where they are many, so that it need not read
 * them again; and what names the request, so that it is refused with any other.
 */
import { Effect, Option } from "effect"
import { sha256 } from "../../protocol/frame/contentHash.ts"
import { InvalidRequest } from "../../protocol/history/Errors.ts"
import { isAligned } from "../../protocol/history/Interval.ts"
import { Header } from "../../protocol/wire/Header.ts"
import { limits } from "../../protocol/wire/Limits.ts"
import * as Tally from "./Tally.ts"
import type { ValidRequest } from "./validRequest.ts"

/** The version that is read, and the time from which on rows are owed; its end where only the account is. */
export interface ReadCursor {
  readonly version: number
  readonly fromMs: number
  /** What rows before that come to; absent where all of them are to be counted anew. */
  readonly tally?: Tally.Tally
}

const format = "1"
const formatWithTally = "2"

/** What decides which rows an answer has, beside the version. */
const requestHash = ({ asOf, entry: { series }, fill, range, sources }: ValidRequest): string =>
  sha256(JSON.stringify([series.nodeId, series.interval, range, sources, fill, asOf ?? null])).slice(0, 16)

const tokenOf = (...words: ReadonlyArray<string | number>): string => Buffer.from(words.join(" ")).toString("base64url")

/** A cursor as readers have it; what rows come to is left out where it takes too many words. */
export const encode = (request: ValidRequest, { fromMs, tally, version }: ReadCursor): string => {
  const hash = requestHash(request)
  const plain = tokenOf(format, version, fromMs, hash)
  if (tally === undefined) return plain
  const full = tokenOf(formatWithTally, version, fromMs, hash, Tally.encode(tally))
  return full.length <= limits.cursorLength ? full : plain
}

const decode = (token: string): Option.Option<ReadCursor & { readonly hash: string }> => {
  if (token.length > limits.cursorLength || !/^[A-Za-z0-9_-]+$/.test(token)) return Option.none()
  const text = Buffer.from(token, "base64url").toString()
  const form = /^([12]) (\d{1,15}) (-?\d{1,15}) ([0-9a-f]{16})(?: (.*))?$/
  const [, kind, version, fromMs, hash = "", tallied] = form.exec(text) ?? []
  if (version === undefined || fromMs === undefined) return Option.none()
  const cursor = { version: Number(version), fromMs: Number(fromMs), hash }
  if (kind === format) return tallied === undefined ? Option.some(cursor) : Option.none()
  return Option.map(Tally.decode(tallied ?? ""), (tally) => ({ ...cursor, tally }))
}

const refuse = (problem: string) => Effect.fail(new InvalidRequest({ field: Header.cursor, problem }))

/** Whether the times of a tally are some that the request's own parts have. */
const isOfRange = ({ entry: { interval }, range: [start] }: ValidRequest, { fromMs, tally }: ReadCursor): boolean =>
  tally === undefined ||
  (tally.untilMs >= start &&
    tally.untilMs <= fromMs &&
    isAligned(interval, tally.untilMs) &&
    (tally.priced === undefined || (isAligned(interval, tally.priced.atMs) && tally.priced.atMs >= start)))

/** The cursor that a reader gives with a request. */
export const parse = (request: ValidRequest, token: string): Effect.Effect<ReadCursor, InvalidRequest> => {
  const decoded = decode(token)
  if (Option.isNone(decoded)) return refuse("is no cursor: give back that of the last part as it came")
  const { hash, ...cursor } = decoded.value
  const { fromMs, version } = cursor
  const { minVersion } = request
  const [start, end] = request.range
  const isOfRequest = hash === requestHash(request) && fromMs >= start && fromMs <= end && isOfRange(request, cursor)
  if (!isOfRequest || !isAligned(request.entry.interval, fromMs)) {
    return refuse(
      "is that of another request: series, range, sources, fill and asOf are as they were for the parts before"
    )
  }
  // all parts are of one version: a later one is had by none of them
  return version < minVersion
    ? refuse(
        `goes on with version ${version}, and minVersion asks for ${minVersion}: ask without the cursor, from the start`
      )
    : Effect.succeed(cursor)
}
