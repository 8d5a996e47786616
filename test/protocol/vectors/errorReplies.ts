/** What does the reply of each error look like? */
import { Option } from "effect"
import {
  BackfillEnded,
  BackfillExists,
  RangeNotFinal,
  UnknownBackfill
} from "../../../protocol/history/BackfillErrors.ts"
import { BudgetUnavailable } from "../../../protocol/history/BudgetUnavailable.ts"
import * as History from "../../../protocol/history/Errors.ts"
import type { MissingRange } from "../../../protocol/history/MissingRange.ts"
import { UnknownPoint } from "../../../protocol/history/UnknownPoint.ts"
import { BackfillOff } from "../../../protocol/messages/BackfillOff.ts"
import * as Jobs from "../../../protocol/messages/JobErrors.ts"
import { JobNotSuited } from "../../../protocol/messages/Operate.ts"
import { SweepUnderWay } from "../../../protocol/messages/Sweep.ts"
import * as Admin from "../../../protocol/wire/AdminErrors.ts"
import * as Codec from "../../../protocol/wire/Codec.ts"
import * as Wire from "../../../protocol/wire/Errors.ts"
import * as Limits from "../../../protocol/wire/LimitErrors.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import { errorReply, type Tagged } from "../../../runtime/ServiceEndpoint.ts"
import { asked, day, ingestAtMs, series } from "./example.ts"

const missing: MissingRange = { ...asked, state: "missing", reason: "not filled yet", retryAt: null }
const address = "coverage/ohlcv=3Abinance=3ABTC=2FBUSD.1m"
const oldest = { version: 3, committedAt: ingestAtMs }
const newest = { version: 17, committedAt: ingestAtMs + 60_000 }
const spec = { ...series, start: day.start, end: day.end, order: "oldest_first", jobClass: "bulk" } as const
const counts = { PENDING: 0, RUNNING: 0, SUCCEEDED: 2, FAILED: 0, EXPIRED: 0, QUARANTINED: 0 }

/** Of what was asked. */
const ofRequests: ReadonlyArray<Tagged> = [
  new History.InvalidRequest({ field: "startegy", problem: "is no field of a request" }),
  new History.UnalignedRange({
    start: asked.start + 1,
    end: asked.end,
    interval: "1m",
    alignedStart: asked.start,
    alignedEnd: asked.end
  }),
  new History.RangeTooLarge({ bars: 1_000_000, barsMax: 50_000 }),
  new History.RangeTooLarge({ bars: 1_000_000, barsMax: 50_000, inParts: false }),
  new History.RangeTooLarge({ bars: 20_000_000, barsMax: 10_000_000, inParts: true }),
  new Wire.MalformedMessage({ what: "the answer", problem: "it is no plain MessagePack" }),
  new Limits.TooManyReads({ reads: 1001, readsMax: 1000 }),
  new Limits.RequestTooLarge({ bytes: 70_000, bytesMax: 65_536 }),
  new Limits.TooManyRequests({ caller: "_INBOX.3V5RAJQUZXE4", requestsMax: 64, retryAfterMs: 100 }),
  new Limits.TooManyRequests({
    caller: "_INBOX.3V5RAJQUZXE4",
    requestsMax: 32,
    retryAfterMs: 1000,
    limit: "answersInParts"
  }),
  new Limits.TooManyRequests({
    caller: "_INBOX.3V5RAJQUZXE4",
    requestsMax: 8,
    retryAfterMs: 500,
    limit: "batches",
    limitMax: 8
  }),
  new History.UnknownSeries({ nodeId: "ohlcv:binance:BTC/EUR", interval: "1m", known: [series.nodeId] }),
  new UnknownPoint({ ...series, asOf: { version: 18 }, problem: "future", oldest, newest })
]

/** Of what came of it. */
const ofAnswers: ReadonlyArray<Tagged> = [
  new History.CoverageMissing({ expectedBars: 3, missingBars: 3, missingRanges: [missing] }),
  new History.StrictViolation({ expectedBars: 3, gotBars: 0, missingRanges: [missing] }),
  new History.ResultTooLarge({ bytes: 5_000_000, bytesMax: 1_044_480 }),
  new History.WindowQuarantined({ windowStart: day.start, reason: "10 runs in a row failed" }),
  new History.RowsRejected({ source: "binance", reason: "event_time is not a whole number of milliseconds" }),
  new History.SourceUnavailable({ source: "binance", reason: "status 503", retryAt: ingestAtMs + 2000 }),
  new BudgetUnavailable({ source: "binance", reason: "its account's budget is spent", retryAt: null }),
  new History.SlaViolated({ phase: "storage", budgetMs: 100, waitedMs: 101 }),
  new History.SlaViolated({ phase: "minCoverage", budgetMs: 8000, waitedMs: 44 }),
  new History.SlaViolated({ phase: "lag", budgetMs: 60_000, waitedMs: 120_000 }),
  new History.StoreDamaged({ key: "seamless.v1.chunks.a.1m.0.0", problem: "its bytes have another hash" }),
  new BackfillOff({ switch: "DISABLE_BACKFILL", on: true, by: "alice", at: ingestAtMs, reason: "the exchange asks us" })
]

/** Of the cluster. */
const ofTheCluster: ReadonlyArray<Tagged> = [
  new Wire.MailboxFull({ address: Subject.service.read, retryAfterMs: 100 }),
  new Wire.MailboxFull({ address: Subject.service.readMany, retryAfterMs: 500, limit: "batches", limitMax: 16 }),
  new Wire.ActorStopped({ address, reason: "it failed to start 5 times", retryAfterMs: 30_000 }),
  new Wire.ActorUnavailable({ address, reason: "no host owns its slot" }),
  new Wire.MeshUnavailable({ operation: "read seamless.v1.chunks.a.1m.0.0", reason: "the connection is down" }),
  new Wire.DeadlineExceeded({ waitingFor: "coverage", budgetMs: 1000 }),
  new Wire.OutcomeUnknown({ address, id: "host-1-2" }),
  new Wire.MessageDeadLettered({ address, id: "host-1-2", reason: "division by zero" }),
  { _tag: "InternalError", message: "the host failed to answer: see its log" }
]

/** Of what operators ask. */
const ofOperators: ReadonlyArray<Tagged> = [
  new Admin.InvalidAdminRequest({ verb: "drain", problem: "host: is missing", right: '{"host":"a"}' }),
  new Jobs.TooManyWindows({ windows: 1001, windowsMax: 1000 }),
  new RangeNotFinal({ start: asked.start, end: asked.end, finalEnd: asked.end - 60_000 }),
  new Admin.UnknownHost({ host: "z", known: ["a", "b"] }),
  new Admin.UnknownActor({ type: "coverage", key: "a.1m" }),
  new Admin.UnknownLetter({ id: "host-1-2" }),
  new Jobs.UnknownJob({ ...series, windowStart: day.start }),
  new UnknownBackfill({ backfill: "first-year" }),
  new Admin.AmbiguousHost({ host: "a", incarnations: ["i1", "i2"] }),
  new Admin.AmbiguousLetter({ id: "host-1-2", addresses: ["counter/a", "counter/b"] }),
  new Jobs.NoSuitedJob({ verb: "retry", windows: 2, counts }),
  new JobNotSuited({ verb: "retry", windowStart: day.start, problem: "it is RUNNING" }),
  new BackfillEnded({ backfill: "first-year", status: "done" }),
  new BackfillExists({ backfill: "first-year", status: "running", existing: spec }),
  new SweepUnderWay({ by: "alice", seriesDone: 3, seriesTotal: 12 }),
  new Admin.AnswerTooLarge({ bytes: 2_000_000, bytesMax: 1_046_528 }),
  new Admin.HostUnreachable({ host: "a", reason: "no answer within 1000 ms" })
]

const replyOf = (error: Tagged) => {
  const json = errorReply(error)
  const packed = errorReply(error, {}, "messagePack")
  return {
    headers: Object.fromEntries(json.headers),
    body: Option.getOrThrow(Codec.fromJson(json.data)),
    messagePack: Buffer.from(packed.data).toString("base64")
  }
}

/** A reply for each tag at the least, without the account that one to a read may have beside the error. */
export const errorReplies = [...ofRequests, ...ofAnswers, ...ofTheCluster, ...ofOperators].map(replyOf)
