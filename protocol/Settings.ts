/**
 * What can be set, and what does it mean?
 *
 * The configuration of a cluster: the same for every host, which publish its hash and refuse to run beside another.
 * Each setting has its type, its default and its bounds here, and nowhere else.
 */
import { Schema } from "effect"
import { CalendarSettings } from "./CalendarSettings.ts"
import { RequestSettings } from "./history/RequestDefaults.ts"
import { SchemaSettings } from "./SchemaSettings.ts"
import { ExchangeSettings, LakeSettings } from "./SourceSettings.ts"

const Count = Schema.Int.check(Schema.isGreaterThan(0))

/** What an upstream account allows, to all hosts together. */
export const AccountSettings = Schema.Struct({
  /** Requests in any minute. */
  requestsPerMinute: Count,
  /** Weight of the requests in any minute. */
  weightPerMinute: Schema.optionalKey(Count),
  /** Requests under way at once. */
  concurrency: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 }))),
  /** Requests that may follow each other at once; what they take is missing from the even flow. */
  burst: Schema.optionalKey(Count)
})
export type AccountSettings = typeof AccountSettings.Type

/** Series that are kept: one node at some intervals. */
export const SeriesSettings = Schema.Struct({
  node: Schema.NonEmptyString,
  intervals: Schema.NonEmptyArray(Schema.String),
  /** Names of sources, the preferred first; of series that are not derived. */
  sources: Schema.optionalKey(Schema.NonEmptyArray(Schema.String)),
  /** What the sources call it; of series that are not derived. */
  symbol: Schema.optionalKey(Schema.NonEmptyString),
  /** The finer interval of the same node whose bars these are rolled up from: then no source is asked for them. */
  derivedFrom: Schema.optionalKey(Schema.String),
  /** The name of its schema; bars of prices and volume without it. */
  schema: Schema.optionalKey(Schema.NonEmptyString),
  /** When trading began, in epoch milliseconds, or ISO 8601 in a file: time before is unavailable. */
  listedAt: Schema.optionalKey(Schema.Int),
  /** When trading ended: time from then on is unavailable. */
  delistedAt: Schema.optionalKey(Schema.Int),
  /** The name of the calendar that says when it is closed; `24x7`, which never is, without it. */
  calendar: Schema.optionalKey(Schema.NonEmptyString),
  windowBars: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10_000 })))
})
export type SeriesSettings = typeof SeriesSettings.Type

/** Bounds that protect a cluster. */
export const Limits = Schema.Struct({
  /** Bars in one request whose answer is one message. */
  maxBars: Schema.optionalKey(Count),
  /** Bars in one request whose answer is taken in parts. */
  maxStreamBars: Schema.optionalKey(Count),
  /** Bytes of decoded rows that a host keeps. */
  cacheBytes: Schema.optionalKey(Count),
  /** Requests of one caller that a host answers at once; one more is refused. */
  requestsPerCaller: Schema.optionalKey(Count)
})

/** What becomes of windows whose jobs fail. */
export const RetrySettings = Schema.Struct({
  /** Runs in a row that may fail before a window waits for a person. */
  attempts: Schema.optionalKey(Count),
  /** The wait after the first failure, doubled with each that follows. */
  baseMs: Schema.optionalKey(Count),
  /** The longest wait that doubling comes to. */
  maxMs: Schema.optionalKey(Count)
})
export type RetrySettings = typeof RetrySettings.Type

/** What becomes of time of which a source gives no bar, and no proof that there is none. */
export const AbsenceSettings = Schema.Struct({
  /** The wait before it is asked about again, doubled with each such answer that follows. */
  baseMs: Schema.optionalKey(Count),
  /** The longest wait that doubling comes to. */
  maxMs: Schema.optionalKey(Count)
})
export type AbsenceSettings = typeof AbsenceSettings.Type

/** A root that is no longer the newest counts for so long at the least. */
const rootsMsMin = 24 * 3600_000

/** How long what stood before is kept. */
export const RetentionSettings = Schema.Struct({
  /**
   * How long a root can still be read after another took its place, a day at the least; for ever without it. What no
   * root names that counts is deleted some time later, and so are the roots.
   */
  rootsMs: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThanOrEqualTo(rootsMsMin))),
  /** How long the sweeper rests when it has gone through all series. */
  sweepEveryMs: Schema.optionalKey(Count)
})
export type RetentionSettings = typeof RetentionSettings.Type

/** How the cluster keeps what it stores in NATS. */
export const NatsSettings = Schema.Struct({
  /**
   * Servers that keep a copy of each stream, of 1 to 5: with 3, one may fail, and with 5, two. Streams that have more
   * keep them; those that have fewer get more.
   */
  replicas: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 5 })))
})

/** Where spans go; none without an address. */
export const TelemetrySettings = Schema.Struct({
  otlpUrl: Schema.optionalKey(Schema.String)
})

/** A whole configuration. */
export const Configuration = Schema.Struct({
  sources: Schema.Record(Schema.String, Schema.Union([ExchangeSettings, LakeSettings])),
  series: Schema.NonEmptyArray(SeriesSettings),
  /** By name: the schemas of series. */
  schemas: Schema.optionalKey(Schema.Record(Schema.String, SchemaSettings)),
  /** By name: what the accounts allow that sources are asked under. */
  accounts: Schema.optionalKey(Schema.Record(Schema.String, AccountSettings)),
  limits: Schema.optionalKey(Limits),
  /** What holds where a request says nothing. */
  requests: Schema.optionalKey(RequestSettings),
  retry: Schema.optionalKey(RetrySettings),
  absence: Schema.optionalKey(AbsenceSettings),
  /** By name: the calendars of series. */
  calendars: Schema.optionalKey(Schema.Record(Schema.String, CalendarSettings)),
  retention: Schema.optionalKey(RetentionSettings),
  nats: Schema.optionalKey(NatsSettings),
  telemetry: Schema.optionalKey(TelemetrySettings)
})
export type Configuration = typeof Configuration.Type

/** What holds where a configuration says nothing. */
export const defaults = {
  maxBars: 50_000,
  maxStreamBars: 10_000_000,
  replicas: 1,
  cacheBytes: 64 * 1024 * 1024,
  /** An eighth of what a host answers at once. */
  requestsPerCaller: 64,
  maxEmptyBars: 60,
  finalityDelayMs: 1000,
  concurrency: 4,
  requestTimeoutMs: 10_000,
  /** Files without an index are read whole. */
  lakeTimeoutMs: 120_000,
  lakeConcurrency: 2,
  lakeBarsPerRequest: 10_000,
  attempts: 6,
  retryAttempts: 10,
  retryBaseMs: 1000,
  retryMaxMs: 300_000,
  absenceBaseMs: 15 * 60_000,
  absenceMaxMs: 24 * 3600_000,
  rootsMs: Infinity,
  sweepEveryMs: 6 * 3600_000,
  joinGapsBars: 500,
  /** The longest ban that is known of an exchange: whoever asks to be left alone for longer is mistaken. */
  retryAfterMsMax: 3 * 24 * 3_600_000,
  requestWeight: 1,
  breakerFailures: 10,
  /** The share of an account's budget that may be spent at once, where it says nothing of a burst. */
  burstShare: 0.05
} as const
