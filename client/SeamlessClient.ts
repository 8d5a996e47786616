/** What can a caller outside the cluster ask? */
import { Effect } from "effect"
import { HistoryDiff } from "../protocol/history/HistoryDiff.ts"
import { MediaType } from "../protocol/wire/Header.ts"
import * as Subject from "../protocol/wire/Subject.ts"
import { askedTimes } from "./askedTimes.ts"
import { askPatiently } from "./askPatiently.ts"
import { checkTexts, sentOf } from "./checkOptions.ts"
import type { CoverageChange } from "./CoverageChange.ts"
import { explain, type ReadExplanation } from "./explain.ts"
import type { HistoryFrame } from "./HistoryFrame.ts"
import { AvailabilityResult, CoverageReport, Health, type HistoryResult } from "./HistoryResult.ts"
import { read } from "./read.ts"
import { type OneRead, readMany, type ReadManyOptions, type ReadOutcome } from "./readMany.ts"
import {
  type Asked,
  type CoverageOptions,
  type DiffOptions,
  type EnsureOptions,
  type ReadOptions,
  requestBody,
  type Time
} from "./requestBody.ts"
import { ask, decoder, type Question, type Session } from "./Session.ts"
import { type HistoryStream, stream, type StreamOptions } from "./stream.ts"
import { type Sequence, toIterable } from "./toIterable.ts"
import { type CallOptions, toPromise } from "./toPromise.ts"
import { watch, type Watched, type WatchOptions } from "./watch.ts"

type WithoutMeta = readonly [
  nodeId: string,
  interval: string,
  start: Time,
  end: Time,
  options: ReadOptions & { readonly returnMeta: false }
]

type WithMeta = Asked<ReadOptions & { readonly returnMeta?: true }>

/** Reads bars. */
export interface Read {
  /** `read(nodeId, interval, start, end, { returnMeta: false })` gives the rows alone. */
  (...asked: WithoutMeta): Promise<HistoryFrame>
  /** `read(nodeId, interval, start, end, options?)` gives the rows of `[start, end)` and the account of them. */
  (...asked: WithMeta): Promise<HistoryResult>
}

/** The way in for programs outside the cluster. Every promise that fails rejects with a `SeamlessError`. */
export interface SeamlessClient {
  readonly read: Read
  /**
   * `for await (const df of client.stream(nodeId, interval, start, end, options?))` gives the rows of `[start, end)`
   * some at a time, however many they are; leaving the loop has the host stop. `meta` is the account of all of them.
   */
  readonly stream: (...asked: Asked<StreamOptions>) => HistoryStream
  /**
   * `readMany([{ nodeId, interval, start, end }, …], options?)` gives what each of many reads is answered, in their
   * order: its rows and their account, or the `SeamlessError` that says why there are none. A failure of one is no
   * failure of the others.
   */
  readonly readMany: (reads: ReadonlyArray<OneRead>, options?: ReadManyOptions) => Promise<ReadonlyArray<ReadOutcome>>
  /** `ensureAvailable(nodeId, interval, start, end, options?)` fills what is missing, within the budget. */
  readonly ensureAvailable: (...asked: Asked<EnsureOptions>) => Promise<AvailabilityResult>
  /** What is covered of a series, with its version: now, or as of a version or a time. */
  readonly coverage: (nodeId: string, interval: string, options?: CoverageOptions) => Promise<CoverageReport>
  /** What `read` with the same arguments would do: what would come from where, and what would be waited for. */
  readonly explain: (...asked: Asked<ReadOptions>) => Promise<ReadExplanation>
  /** The bars that are not the same at two versions of the coverage, as many as one answer tells. */
  readonly diff: (nodeId: string, interval: string, options: DiffOptions) => Promise<HistoryDiff>
  /**
   * Each change of the coverage of one series, of all of a node, or of all there are, in order and without gaps, until
   * the loop is left: `for await (const change of client.watch({ nodeId, interval }))`. Outlives lost connections.
   */
  readonly watch: (watched?: Watched, options?: WatchOptions) => Sequence<CoverageChange>
  /** How the host that happens to answer is. */
  readonly health: (options?: CallOptions) => Promise<Health>
  /**
   * Ends the connection, and waits for no answer: what is under way rejects at once with a `SeamlessError` of tag
   * `MeshUnavailable`, and so do loops.
   */
  readonly close: () => Promise<void>
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

const decodeAvailability = decoder(AvailabilityResult, "the answer")
const decodeCoverage = decoder(CoverageReport, "the coverage")
// a host takes so long at the most
const diffBudgetMs = 15_000

const decodeDiff = decoder(HistoryDiff, "the difference")
const decodeHealth = decoder(Health, "the health")

const accept = MediaType.json

const isCancellable = ({ signal }: CallOptions = {}): boolean => signal !== undefined

const ensureAvailable = Effect.fnUntraced(function* (session: Session, asked: Asked<EnsureOptions>) {
  const { data } = yield* askPatiently(session, {
    subject: Subject.service.ensure,
    body: yield* requestBody(asked),
    accept,
    ...askedTimes(asked[4] ?? {}, "auto_backfill"),
    isCancellable: isCancellable(asked[4])
  })
  return yield* decodeAvailability(data)
})

interface AboutSeries<Options> {
  readonly nodeId: string
  readonly interval: string
  readonly options: Options
}

const questionOf = Effect.fnUntraced(function* <Options extends CallOptions>(
  subject: string,
  { interval, nodeId, options }: AboutSeries<Options | undefined>
) {
  yield* checkTexts({ nodeId, interval })
  const body = { ...(yield* sentOf(options)), nodeId, interval }
  const question: Question = { subject, body, accept, isCancellable: isCancellable(options) }
  return question
})

const coverage = Effect.fnUntraced(function* (session: Session, asked: AboutSeries<CoverageOptions | undefined>) {
  const { data } = yield* askPatiently(session, yield* questionOf(Subject.service.coverage, asked))
  return yield* decodeCoverage(data)
})

const diff = Effect.fnUntraced(function* (session: Session, asked: AboutSeries<DiffOptions>) {
  const question = yield* questionOf(Subject.service.diff, asked)
  const { data } = yield* askPatiently(session, { ...question, budgetMs: diffBudgetMs, againMs: diffBudgetMs / 2 })
  return yield* decodeDiff(data)
})

// put once: that nobody is there now is an answer, too
const health = Effect.fnUntraced(function* (session: Session) {
  const { data } = yield* ask(session, { subject: Subject.service.health, body: {}, accept })
  return yield* decodeHealth(data)
})

/** The client of a session; `close` is what ends it. */
export const makeClient = (session: Session, close: () => Promise<void>): SeamlessClient => {
  function readHistory(...asked: WithoutMeta): Promise<HistoryFrame>
  function readHistory(...asked: WithMeta): Promise<HistoryResult>
  function readHistory(...asked: Asked<ReadOptions>): Promise<HistoryFrame | HistoryResult> {
    return toPromise(read(session, asked), asked[4])
  }
  return {
    read: readHistory,
    readMany: (reads, options) => toPromise(readMany(session, reads, options), options),
    stream: (...asked) => stream(session, asked),
    ensureAvailable: (...asked) => toPromise(ensureAvailable(session, asked), asked[4]),
    coverage: (nodeId, interval, options) => toPromise(coverage(session, { nodeId, interval, options }), options),
    explain: (...asked) => toPromise(explain(session, asked), asked[4]),
    diff: (nodeId, interval, options) => toPromise(diff(session, { nodeId, interval, options }), options),
    watch: (watched, options) => toIterable(watch(session, watched, options), options),
    health: (options) => toPromise(health(session), options),
    close,
    [Symbol.asyncDispose]: close
  }
}
