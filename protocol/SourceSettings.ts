/**
 * What can be set of a source?
 *
 * Of exchanges and of files, with what is the same for all that are asked for pages.
 */
import { Schema } from "effect"
import { lakeFields } from "./LakeSettings.ts"

const Milliseconds = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
const Count = Schema.Int.check(Schema.isGreaterThan(0))

/** A source that is an exchange, reached by ccxt. */
export const ExchangeSettings = Schema.Struct({
  kind: Schema.Literal("exchange"),
  /** The exchange's id in ccxt, such as `binance`. */
  exchange: Schema.NonEmptyString,
  /** What it is asked for: its bars, or its trades, of which bars are made; `bars` by default. */
  rows: Schema.optionalKey(Schema.Literals(["bars", "trades"])),
  /** Takes the place of scheme, host and port in the exchange's addresses. */
  baseUrl: Schema.optionalKey(
    Schema.String.check(
      Schema.isPattern(/^https?:\/\/[^/\s]+\/?$/, { message: "is scheme, host and port: http://127.0.0.1:9000" })
    )
  ),
  /** An absence between bars of one answer is a lack of trades up to this many bars. */
  maxEmptyBars: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))),
  /** A bar is final this long after its end. */
  finalityDelayMs: Schema.optionalKey(Milliseconds),
  /** A bar may still change so long after its end; it is asked for once more then. 0, not at all, without it. */
  settleMs: Schema.optionalKey(Milliseconds),
  /** The same for bars of some intervals, such as `1m`, where it is otherwise for them. */
  settleMsByInterval: Schema.optionalKey(Schema.Record(Schema.String, Milliseconds)),
  /** Bars in one request, where fewer are wanted than ccxt says. */
  barsPerRequest: Schema.optionalKey(Count),
  /** Requests under way at once from one host. */
  concurrency: Schema.optionalKey(Count),
  /** A request without an answer by then has failed. */
  requestTimeoutMs: Schema.optionalKey(Count),
  /** Tries of one request before its job fails. */
  attempts: Schema.optionalKey(Count),
  /** How far back it answers at all: it keeps no bars that begin longer ago. */
  retentionMs: Schema.optionalKey(Count),
  /** The most bars that nobody asked for, between stretches that somebody did, that are asked along. */
  joinGapsBars: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))),
  /** Its bars are adjusted, for splits or dividends: each row says so in its flags. */
  adjusted: Schema.optionalKey(Schema.Boolean),
  /** The name of the account whose budget its requests come from; one of the source's own name without it. */
  account: Schema.optionalKey(Schema.NonEmptyString),
  /** What one request counts against the account's `weightPerMinute`. */
  requestWeight: Schema.optionalKey(Count),
  /** Failures in a row after which it is left alone for a while. */
  breakerFailures: Schema.optionalKey(Count)
})
export type ExchangeSettings = typeof ExchangeSettings.Type

// what holds of a source that is asked for pages, whatever it reads from
const { baseUrl: _baseUrl, exchange: _exchange, kind: _kind, rows: _rows, ...asked } = ExchangeSettings.fields

/** A source that is files of bars or of trades, Parquet or CSV. */
export const LakeSettings = Schema.Struct({ ...lakeFields, ...asked })
export type LakeSettings = typeof LakeSettings.Type
