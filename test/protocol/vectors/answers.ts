/** What are the golden exchanges in MessagePack, in parts, of several reads, and with who looks for services? */
import { Effect, Option, Schema } from "effect"
import { frameReply } from "../../../actors/provider/historyReply.ts"
import * as ReadCursor from "../../../actors/provider/ReadCursor.ts"
import type { RowFlow } from "../../../actors/provider/readParts.ts"
import { sendParts } from "../../../actors/provider/sendParts.ts"
import * as Frame from "../../../protocol/frame/Frame.ts"
import { UnknownSeries } from "../../../protocol/history/Errors.ts"
import { DiffRequest, HistoryDiff } from "../../../protocol/history/HistoryDiff.ts"
import { HistoryMeta } from "../../../protocol/history/HistoryResult.ts"
import { ReadManyRequest } from "../../../protocol/history/ReadManyRequest.ts"
import * as CallSubject from "../../../protocol/wire/CallSubject.ts"
import * as Codec from "../../../protocol/wire/Codec.ts"
import { errorCode } from "../../../protocol/wire/errorCodes.ts"
import { Header, MediaType } from "../../../protocol/wire/Header.ts"
import { microAnswer, type MicroEndpoint, type MicroInstance, microSubjects } from "../../../protocol/wire/Micro.ts"
import * as PlainPack from "../../../protocol/wire/PlainPack.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import type { Headers } from "../../../runtime/Mesh.ts"
import { errorReply } from "../../../runtime/ServiceEndpoint.ts"
import { entry, requestOf } from "../../support/requests.ts"
import { asked, day, ingestAtMs, rows, series } from "./example.ts"
import { read, readError } from "./exchanges.ts"

const json = { [Header.contentType]: MediaType.json }
const packed = { [Header.contentType]: MediaType.messagePack, [Header.accept]: MediaType.messagePack }
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64")
const jsonOf = (bytes: Uint8Array): unknown => Option.getOrThrow(Codec.fromJson(bytes))

const meta = Schema.decodeUnknownSync(HistoryMeta)(read.reply.body.meta)

const readReply = frameReply(rows, "messagePack", meta)
const { [Header.contentType]: _, ...errorHeaders } = readError.reply.headers

/** The same read, and its refusal, with requests and replies in MessagePack. */
export const readMessagePack = {
  subject: Subject.service.read,
  request: { headers: packed, base64: base64(PlainPack.pack(read.request.body)) },
  reply: { headers: Object.fromEntries(readReply.headers), base64: base64(readReply.data) },
  refused: {
    headers: { [Header.contentType]: MediaType.messagePack, ...errorHeaders },
    base64: base64(PlainPack.pack(readError.reply.body))
  }
}

const range = [asked.start, asked.end] as const
const flowSubject = CallSubject.flow("8w0k3n1x", "1")

const flow: RowFlow<never> = {
  next: Effect.succeed(Option.none()),
  account: Effect.succeed({ meta, error: undefined }),
  returnMeta: true,
  firstWaitMs: Effect.succeed(Infinity),
  waitMs: Infinity,
  goneByMs: () => asked.start,
  cursorAt: (fromMs) =>
    ReadCursor.encode(requestOf({ entry: { ...entry, series }, range, sources: ["binance"] }), { version: 1, fromMs }),
  barMs: 60_000,
  empty: Frame.slice(rows, 0, 0),
  isResumed: false
}

/** The messages of an answer in parts of one row each. */
const partsOf = () => {
  const sent: Array<{ readonly data: Uint8Array; readonly headers: Headers }> = []
  const left = [Frame.slice(rows, 0, 1), Frame.slice(rows, 1, 2), Frame.slice(rows, 2, 3)]
  const last = Effect.runSync(
    sendParts(
      { ...flow, next: Effect.sync(() => Option.fromUndefinedOr(left.shift())) },
      {
        credit: { subject: flowSubject, take: Effect.succeed(true) },
        encode: (df, account) => Effect.sync(() => frameReply(df, "json", account)),
        send: (data, headers) => void sent.push({ data, headers }),
        bytesMax: 1_000_000,
        partBytes: 1
      }
    )
  )
  return [...sent, last].map(({ data, headers }) => ({ headers: Object.fromEntries(headers), body: jsonOf(data) }))
}

const parts = partsOf()
const call = "call-1"

/** The same read, answered in parts; what the reader grants, how it goes on after a break, and how it calls it off. */
export const readInParts = {
  subject: Subject.service.read,
  request: { headers: { ...json, [Header.credit]: "2", [Header.call]: call }, body: read.request.body },
  parts,
  grant: { subject: flowSubject, body: "1" },
  goingOn: {
    headers: { ...json, [Header.credit]: "2", [Header.cursor]: parts[0]?.headers[Header.cursor] },
    body: read.request.body
  },
  cancel: { subject: CallSubject.cancel(call), body: "" }
}

const unknown = new UnknownSeries({ nodeId: "ohlcv:binance:BTC/EUR", interval: "1m", known: [series.nodeId] })
const { nodeId, ...options } = read.request.body

const manyRequest = Schema.decodeUnknownSync(ReadManyRequest)({
  ...options,
  requests: [{ nodeId }, { nodeId: unknown.nodeId }]
})

const manyResults = [read.reply.body, jsonOf(errorReply(unknown, { code: errorCode(unknown._tag) }).data)] as const

const ofItem = (item: number, end: boolean) => ({
  [Header.flow]: flowSubject,
  [Header.item]: String(item),
  ...(end && { [Header.end]: "true" })
})

const refusedItem = errorReply(unknown)

/** Two reads in one request, one of which fails: answered in one message, and in messages of their own. */
export const readMany = {
  subject: Subject.service.readMany,
  request: { headers: json, body: Schema.encodeSync(ReadManyRequest)(manyRequest) },
  reply: { headers: json, body: { results: manyResults } },
  inParts: {
    headers: { ...json, [Header.credit]: "4" },
    messages: [
      { headers: { ...Object.fromEntries(refusedItem.headers), ...ofItem(1, false) }, body: jsonOf(refusedItem.data) },
      { headers: { ...json, ...ofItem(0, true) }, body: read.reply.body }
    ]
  }
}

/** How a member is. */
export const health = {
  subject: Subject.service.health,
  request: { headers: json, body: {} },
  reply: { headers: json, body: { status: "ok", hostId: "a" } },
  suspended: {
    headers: json,
    body: { status: "suspended", reason: "no confirmation of its slots for 3000 ms", hostId: "a" }
  }
}

const difference: HistoryDiff = {
  ...series,
  from: { version: 1, committedAt: ingestAtMs },
  to: { version: 3, committedAt: ingestAtMs + 60_000 },
  changes: [
    { eventTime: asked.start, before: { close: 17_209.5 }, after: { close: 17_209.75 } },
    { eventTime: asked.start + 60_000, before: null, after: { open: 1, high: 2, low: 1, close: 2, volume: 3 } }
  ],
  windows: { differing: 1, looked: 1 },
  barsLeft: 1,
  next: asked.start + 120_000
}

/** What differs between two versions, told two bars at a time. */
export const diff = {
  subject: Subject.service.diff,
  request: {
    headers: json,
    body: Schema.encodeSync(DiffRequest)({
      ...series,
      fromVersion: 1,
      toVersion: 3,
      start: day.start,
      end: day.end,
      limit: 2
    })
  },
  reply: { headers: json, body: Schema.encodeSync(HistoryDiff)(difference) }
}

const instance: MicroInstance = { id: "9f2c6k", hostId: "a", started: "2025-11-13T02:13:20.000Z" }
const endpoints: ReadonlyArray<MicroEndpoint> = [
  {
    name: "read",
    subject: Subject.service.read,
    queueGroup: Subject.serviceGroup,
    figures: { requests: 4, errors: 1, lastError: "404:CoverageMissing", processingNanos: 10_000_000 }
  }
]

/** What each instance answers to who looks for services; of the endpoints one. */
export const micro = (["ping", "info", "stats"] as const).map((verb) => ({
  subjects: microSubjects(verb, instance.id),
  reply: microAnswer(verb, instance, endpoints)
}))
