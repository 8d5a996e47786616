/** What are the golden records: a chunk, its page, two roots in a row, a job, messages between hosts? */
import { Option, Schema } from "effect"
import { slotOf } from "../../../cluster/Placement.ts"
import { packReply } from "../../../cluster/ReplyCodec.ts"
import { missing } from "../../../protocol/frame/Column.ts"
import { contentHash, sha256 } from "../../../protocol/frame/contentHash.ts"
import type { Frame } from "../../../protocol/frame/Frame.ts"
import * as FrameJson from "../../../protocol/frame/FrameJson.ts"
import { BackfillJob } from "../../../protocol/history/BackfillJob.ts"
import * as Chunk from "../../../protocol/history/Chunk.ts"
import { CoveragePage, withEntry } from "../../../protocol/history/CoveragePage.ts"
import { CoverageRoot, initial, rootHash } from "../../../protocol/history/CoverageRoot.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import * as Window from "../../../protocol/history/Window.ts"
import { jobEvent } from "../../../protocol/messages/Backfill.ts"
import * as Coverage from "../../../protocol/messages/Coverage.ts"
import * as Codec from "../../../protocol/wire/Codec.ts"
import { DeadLetter } from "../../../protocol/wire/DeadLetter.ts"
import { addressText, type Envelope, type Settled } from "../../../protocol/wire/Envelope.ts"
import { MailboxFull, MessageDeadLettered } from "../../../protocol/wire/Errors.ts"
import { protocolVersion, SessionRecord, SlotValue } from "../../../protocol/wire/HostRecords.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import { keySubject } from "../../../protocol/wire/StreamSpec.ts"
import * as ActorSubject from "../../../protocol/wire/ActorSubject.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import * as QueueSubject from "../../../protocol/wire/QueueSubject.ts"
import { StateRecord } from "../../../protocol/wire/StateRecord.ts"
import { floats } from "../../support/floatFrames.ts"
import { intervalOf } from "../../support/rows.ts"
import { asked, covered, day, ingestAtMs, rows, series } from "./example.ts"

const key = Subject.series(series.nodeId, series.interval)
const grid = Window.makeGrid(intervalOf(series.interval))

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64")

const stored = Chunk.encode(rows, {
  series,
  windowStart: day.start,
  windowBars: grid.windowBars,
  source: "binance",
  ranges: covered,
  base: null,
  schemaVersion: 1
})

/** A chunk and what is in it. */
export const chunk = {
  subject: Subject.chunk(key, day.start, stored.ref.id),
  id: stored.ref.id,
  contentHash: stored.ref.contentHash,
  columns: FrameJson.toJson(rows),
  base64: base64(stored.bytes)
}

const of = (eventTimeMs: ReadonlyArray<number>, values: Readonly<Record<string, ReadonlyArray<number>>>): Frame => ({
  eventTimeMs: Float64Array.from(eventTimeMs),
  columns: Object.entries(values).map(([name, column]) => floats(name, ...column)),
  flags: new Uint32Array(eventTimeMs.length),
  lineage: []
})

const hashed = (what: string, frame: Frame) => {
  const { __source, __ingest_at, __backfill_job_id, __flags, ...columns } = FrameJson.toJson(frame)
  const types = FrameJson.typesOf(frame)
  return { what, columns, ...(Object.keys(types).length > 0 && { types }), contentHash: contentHash(frame) }
}

const wholeNumbers: Frame = {
  ...of([0, 60_000], { open: [1.5, 2] }),
  columns: [floats("open", 1.5, 2), { name: "trades", type: "int64", values: BigInt64Array.of(7n, missing.int64) }]
}

/** Content hashes of small frames; a null stands for NaN. */
export const contentHashes = [
  hashed("three bars", rows),
  hashed("no rows, which have one hash whatever their columns", of([], { open: [], close: [] })),
  hashed("no columns", of([0, 60_000], {})),
  hashed("a missing value", of([0, 60_000], { open: [1.5, Number.NaN] })),
  hashed("a column without any value, which does not count", of([0, 60_000], { open: [1.5, 2], vwap: [NaN, NaN] })),
  hashed("a zero, which has one hash with either sign", of([0], { volume: [-0] })),
  hashed("an extra column behind the schema's, and a time before 1970", of([-60_000], { open: [1], größe: [2] })),
  hashed("columns in any order: those of a bar come first", of([0], { vwap: [3], trades: [4], low: [1], open: [2] })),
  hashed("whole numbers of 53 bits, which have one hash as float64 and as int64", wholeNumbers)
]

const entry = { windowStart: day.start, generation: 0, chunks: [stored.ref] }
const index = Window.pageIndex(grid, day.start)
const pageRecord = Schema.encodeSync(CoveragePage)(withEntry({ format: 1, index, windows: [] }, entry))
const pageId = sha256(Codec.toJson(pageRecord))

/** A page; its name is the hash of its compact JSON. */
export const page = { subject: Subject.page(key, pageId), id: pageId, record: pageRecord }

const created = initial(series, { windowBars: grid.windowBars, schemaVersion: 1 })

const first: CoverageRoot = {
  ...created,
  version: 1,
  committedAt: ingestAtMs,
  covered,
  exceptions: [
    {
      start: asked.end,
      end: asked.end + 60_000,
      state: "deferred",
      reason: "the bar is not final yet",
      retryAt: ingestAtMs + 1000
    }
  ],
  watermarks: { eventTimeLow: asked.end, eventTimeHigh: asked.end - 60_000 },
  pages: [{ index, id: pageId }],
  previousRootHash: rootHash(created),
  diff: { added: covered, removed: RangeSet.empty, jobs: [`${day.start}.1`], source: "binance", cause: "request-1" }
}

const second: CoverageRoot = {
  ...first,
  version: 2,
  committedAt: ingestAtMs + 1,
  covered: RangeSet.empty,
  exceptions: [],
  watermarks: { eventTimeLow: null, eventTimeHigh: null },
  previousRootHash: rootHash(first),
  diff: { added: RangeSet.empty, removed: covered, jobs: [], source: "", cause: "invalidated by an operator" }
}

const asStored = (root: CoverageRoot) => ({ hash: rootHash(root), root: Schema.encodeSync(CoverageRoot)(root) })

const record: StateRecord = {
  format: 1,
  slotEpoch: 3,
  epoch: 5,
  owner: "host-incarnation-1",
  nonce: "nonce-1",
  state: Schema.encodeSync(CoverageRoot)(first)
}

/** A series' roots one after another, and the newest but one as it lies in the bucket. */
export const root = {
  bucket: Stream.coverage.bucket,
  key,
  subject: keySubject(Stream.coverage, key),
  auditSubject: Subject.audit(key),
  roots: [created, first, second].map(asStored),
  record: Schema.encodeSync(StateRecord)(record)
}

const jobRecord: BackfillJob = {
  format: 1,
  series,
  windowStart: day.start,
  run: 1,
  state: "RUNNING",
  jobClass: "interactive",
  ranges: covered,
  completedRanges: RangeSet.empty,
  sources: ["binance"],
  generation: 0,
  fence: 1,
  lease: { holder: "host-incarnation-1", leaseMs: 10_000 },
  renewals: 2,
  attempts: 0,
  failure: null,
  passedOver: [],
  requests: 1,
  coverageVersion: 0,
  nextAttemptAt: null,
  cause: "request-1",
  traceParent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
  nonce: "nonce-1"
}

const failedJob: BackfillJob = {
  ...jobRecord,
  state: "FAILED",
  lease: null,
  attempts: 1,
  failure: { tag: "SourceUnavailable", message: "source binance gave no answer: status 503", source: "binance" },
  nextAttemptAt: ingestAtMs + 2000,
  nonce: "nonce-2"
}

const windowKey = Subject.window(key, day.start)

const failing = jobEvent(jobRecord, failedJob, ingestAtMs)!

/** A window's job: while it runs, as it failed, and what is told of that. */
export const job = {
  bucket: Stream.jobs.bucket,
  key: windowKey,
  subject: keySubject(Stream.jobs, windowKey),
  queuedAt: QueueSubject.queuedJob({ jobClass: "interactive", partition: 0, windowKey }),
  running: Schema.encodeSync(BackfillJob)(jobRecord),
  failed: Schema.encodeSync(BackfillJob)(failedJob),
  event: { subject: failing.subject, body: Option.getOrThrow(Codec.fromJson(failing.data)) }
}

const to = { type: Coverage.ensureMessage.actor, key }

const ensure = Schema.encodeSync(Coverage.Ensure)({
  series,
  ranges: covered,
  sources: ["binance"],
  jobClass: "interactive",
  cause: "request-1",
  traceParent: jobRecord.traceParent
})

const envelope: Envelope = {
  format: 1,
  to,
  id: "message-1",
  cause: "request-1",
  budgetMs: 1500,
  body: { message: Coverage.ensureMessage.name, payload: ensure }
}

const answer = { body: Schema.encodeSync(Coverage.Ensured)({ version: 0, jobs: [jobRecord] }) }
const refusal = new Coverage.StaleCommit({ windowStart: day.start, problem: "its generation is 1 now" })
const error = { error: Schema.encodeSync(Coverage.StaleCommit)(refusal) }
const undelivered = new MailboxFull({ address: addressText(to), retryAfterMs: 50 })

const told: Envelope = { ...envelope, id: "sender-1-2", ageMs: 250, settle: "sender-1" }
const taken = { accepted: "host-1" }
const settled: Settled = { format: 1, id: told.id, how: "handled" }
const deadLettered = new MessageDeadLettered({ address: addressText(to), id: told.id, reason: "division by zero" })

const packed = (value: unknown) => ({ value, base64: base64(Codec.pack(value)) })

/** A message to an actor and answers to it, in MessagePack; a message that is told, sent again, and its ending. */
export const actorMessage = {
  subject: ActorSubject.slot(ActorSubject.slotName("", slotOf(to))),
  labelledSubject: ActorSubject.slot(ActorSubject.slotName("strategies", slotOf(to))),
  settledSubject: ActorSubject.settled("sender-1"),
  request: packed(envelope),
  answer: { value: { format: 1, ...answer }, base64: base64(packReply(answer)) },
  refusal: { value: { format: 1, ...error }, base64: base64(packReply(error)) },
  undelivered: {
    value: { format: 1, undelivered: Schema.encodeSync(MailboxFull)(undelivered) },
    base64: base64(packReply({ undelivered }))
  },
  deadLettered: {
    value: { format: 1, undelivered: Schema.encodeSync(MessageDeadLettered)(deadLettered) },
    base64: base64(packReply({ undelivered: deadLettered }))
  },
  told: packed(told),
  accepted: { value: { format: 1, ...taken }, base64: base64(packReply(taken)) },
  settled: packed(settled)
}

const session: SessionRecord = {
  incarnation: "host-1",
  hostId: "a",
  configurationHash: "0".repeat(64),
  protocolVersion,
  labels: ["strategies"],
  unlabelled: true,
  startedAt: ingestAtMs
}
const slot: SlotValue = { owner: "host-1", slotEpoch: 3 }
const counter = { type: "counter", key: "BTC/BUSD" }
const state: StateRecord = {
  format: 1,
  slotEpoch: 3,
  epoch: 7,
  owner: "host-1",
  nonce: "nonce-1",
  schemaVersion: 2,
  operations: [{ id: "order-1", at: ingestAtMs, answer: { body: 5 } }],
  forgottenAt: ingestAtMs - 60_000,
  timers: [{ name: "close", id: "order-1.0", at: ingestAtMs + 5000, message: "add", payload: { by: 1 } }],
  state: { count: 5 }
}
const letter: DeadLetter = {
  format: 1,
  id: "sender-1-2",
  to: counter,
  label: "actors",
  message: "add",
  payload: { by: 1 },
  cause: "request-1",
  reason: "division by zero",
  trace: "Error: division by zero",
  traceParent: jobRecord.traceParent,
  hostId: "a",
  epoch: 7,
  at: ingestAtMs
}

/** What hosts write about themselves and their actors. */
export const hosts = {
  protocolVersion,
  session: {
    bucket: Stream.sessions.bucket,
    key: session.incarnation,
    value: Schema.encodeSync(SessionRecord)(session)
  },
  slot: { bucket: Stream.slots.bucket, keys: ["17", "strategies.17"], value: Schema.encodeSync(SlotValue)(slot) },
  state: {
    bucket: Stream.actors.bucket,
    key: ActorSubject.actorKey(counter),
    value: Schema.encodeSync(StateRecord)(state)
  },
  deadLetter: {
    subject: ActorSubject.deadLetter(counter, letter.id),
    value: Schema.encodeSync(DeadLetter)(letter)
  },
  host: ActorSubject.host("host-1"),
  admin: ActorSubject.admin("alice", "hosts")
}
