/**
 * Where does an answer in parts go on?
 *
 * A cursor is opaque to readers. It holds the version of the coverage that is read and the time from which on rows are
 * owed, so any host can go on from it; and what names the request, so that it is refused with any other.
 */
import { Effect, Option } from "effect"
import { sha256 } from "../../protocol/frame/contentHash.ts"
import { InvalidRequest } from "../../protocol/history/Errors.ts"
import { isAligned } from "../../protocol/history/Interval.ts"
import { Header } from "../../protocol/wire/Header.ts"
import type { ValidRequest } from "./validRequest.ts"

/** The version that is read, and the time from which on rows are owed; its end where only the account is. */
export interface ReadCursor {
  readonly version: number
  readonly fromMs: number
}

const format = "1"
const tokenBytesMax = 256

/** What decides which rows an answer has, beside the version. */
const requestHash = ({ asOf, entry: { series }, fill, range, sources }: ValidRequest): string =>
  sha256(JSON.stringify([series.nodeId, series.interval, range, sources, fill, asOf ?? null])).slice(0, 16)

/** A cursor as readers have it. */
export const encode = (request: ValidRequest, { fromMs, version }: ReadCursor): string =>
  Buffer.from([format, version, fromMs, requestHash(request)].join(" ")).toString("base64url")

const decode = (token: string): Option.Option<ReadCursor & { readonly hash: string }> => {
  if (token.length > tokenBytesMax || !/^[A-Za-z0-9_-]+$/.test(token)) return Option.none()
  const text = Buffer.from(token, "base64url").toString()
  const [, version, fromMs, hash = ""] = /^1 (\d{1,15}) (-?\d{1,15}) ([0-9a-f]{16})$/.exec(text) ?? []
  return version === undefined || fromMs === undefined
    ? Option.none()
    : Option.some({ version: Number(version), fromMs: Number(fromMs), hash })
}

const refuse = (problem: string) => Effect.fail(new InvalidRequest({ field: Header.cursor, problem }))

/** The cursor that a reader gives with a request. */
export const parse = (request: ValidRequest, token: string): Effect.Effect<ReadCursor, InvalidRequest> => {
  const cursor = decode(token)
  if (Option.isNone(cursor)) return refuse("is no cursor: give back that of the last part as it came")
  const { fromMs, hash, version } = cursor.value
  const [start, end] = request.range
  const isOfRequest = hash === requestHash(request) && fromMs >= start && fromMs <= end
  return isOfRequest && isAligned(request.entry.interval, fromMs)
    ? Effect.succeed({ version, fromMs })
    : refuse("is that of another request: series, range, sources, fill and asOf are as they were for the parts before")
}
