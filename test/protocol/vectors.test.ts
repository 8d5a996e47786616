/**
 * Are the names, bytes and records still those that clients of every language were built on?
 *
 * Each golden file is made again from the code and compared byte for byte. `UPDATE_VECTORS=1` rewrites the files: the
 * difference is then a change of the protocol, and is reviewed as one. Then the files are read as a client reads them.
 */
import { createHash } from "node:crypto"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { tableFromIPC } from "apache-arrow"
import { Option, Schema } from "effect"
import { describe, expect, it } from "vitest"
import type { JsonColumns } from "../../protocol/frame/FrameJson.ts"
import * as Chunk from "../../protocol/history/Chunk.ts"
import { CoverageRoot } from "../../protocol/history/CoverageRoot.ts"
import { HistoryRequest } from "../../protocol/history/HistoryRequest.ts"
import { JobEvent } from "../../protocol/messages/Backfill.ts"
import * as Codec from "../../protocol/wire/Codec.ts"
import { Envelope } from "../../protocol/wire/Envelope.ts"
import { unpackTyped } from "../support/unpackTyped.ts"
import * as answers from "./vectors/answers.ts"
import { errorReplies } from "./vectors/errorReplies.ts"
import * as exchanges from "./vectors/exchanges.ts"
import { explanation } from "./vectors/explanation.ts"
import * as names from "./vectors/names.ts"
import * as records from "./vectors/records.ts"
import { turnedSwitches } from "./vectors/turnedSwitches.ts"
import { typedParts } from "./vectors/typedParts.ts"
import { typedRows } from "./vectors/typedRows.ts"

const folder = new URL("../../protocol/vectors/", import.meta.url)

const vectors: Readonly<Record<string, unknown>> = {
  "actorMessage.json": records.actorMessage,
  "chunk.json": records.chunk,
  "contentHashes.json": records.contentHashes,
  "coverage.json": exchanges.coverage,
  "diff.json": answers.diff,
  "ensure.json": exchanges.ensure,
  "errorReplies.json": errorReplies,
  "errors.json": names.errors,
  "explain.json": explanation,
  "flags.json": names.flags,
  "health.json": answers.health,
  "hosts.json": records.hosts,
  "intervals.json": names.intervals,
  "job.json": records.job,
  "manifest.json": names.clusterManifest,
  "micro.json": answers.micro,
  "page.json": records.page,
  "read.json": exchanges.read,
  "readArrow.json": exchanges.readArrow,
  "readError.json": exchanges.readError,
  "readInParts.json": answers.readInParts,
  "readMany.json": answers.readMany,
  "readMessagePack.json": answers.readMessagePack,
  "root.json": records.root,
  "subjects.json": names.subjects,
  "switches.json": turnedSwitches,
  "tokens.json": names.tokens,
  "typedParts.json": typedParts,
  "typedRows.json": typedRows,
  "windows.json": names.windows
}

const textOf = (name: string): string => readFileSync(new URL(name, folder), "utf8")

if (process.env["UPDATE_VECTORS"] === "1") {
  for (const [name, value] of Object.entries(vectors)) {
    writeFileSync(new URL(name, folder), `${JSON.stringify(value, null, 2)}\n`)
  }
}

const sha256 = (content: string | Uint8Array): string => createHash("sha256").update(content).digest("hex")

const bytesOf = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, "base64"))

/** A value of an Arrow column as a JSON reply has it. */
const jsonOf = (value: unknown): unknown =>
  typeof value === "bigint" ? String(value) : Number.isNaN(value) ? null : value

const lowestInt64 = -(2n ** 63n)

/** A value of a typed array of MessagePack as a JSON reply has it. */
const numberOf = (value: number | bigint): unknown => (value === lowestInt64 ? null : jsonOf(value))

/** What MessagePack says as JSON says it. */
const plainOf = (value: unknown): unknown => {
  if (value instanceof Float64Array || value instanceof Uint32Array) return Array.from(value, numberOf)
  if (value instanceof BigInt64Array) return Array.from(value, numberOf)
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plainOf(each)]))
}

const decodePart = Schema.decodeUnknownSync(
  Schema.Struct({
    columns: Schema.Record(Schema.String, Schema.Array(Schema.Unknown)),
    meta: Schema.optionalKey(Schema.Unknown)
  })
)

/** The bytes over which a column of other than numbers is hashed, from its values in JSON. */
const hashedBytes = (type: string | undefined, values: JsonColumns[string]): ReadonlyArray<string | Uint8Array> => {
  const isLong = values.some((value) => value !== null && !Number.isSafeInteger(Number(value)))
  if (type === "int64" && !isLong) return hashedBytes(undefined, values)
  if (type === "int64") {
    const ints = BigInt64Array.from(values, (value) => (value === null ? -(2n ** 63n) : BigInt(value)))
    return ["int64\n", new Uint8Array(ints.buffer)]
  }
  if (type === "bool") return ["bool\n", Uint8Array.from(values, (value) => (value === null ? 255 : Number(value)))]
  if (type === "category") {
    const texts = [...new Set(values.filter((value) => value !== null))]
    const places = Uint32Array.from(values, (value) => (value === null ? 2 ** 32 - 1 : texts.indexOf(value)))
    return ["category\n", `${JSON.stringify(texts)}\n`, new Uint8Array(places.buffer)]
  }
  const numbers = Float64Array.from(values, (value) => (value === null ? Number.NaN : Number(value)))
  return [type === undefined ? "" : `${type}\n`, new Uint8Array(numbers.buffer)]
}

/** The content hash of columns as a JSON reply has them. */
const hashOf = (
  { event_time: times = [], ...columns }: JsonColumns,
  types: Readonly<Record<string, string>>
): string => {
  const hash = createHash("sha256").update(`${times.length}\n`)
  const ofBars = ["open", "high", "low", "close", "volume"]
  if (times.length === 0) hash.update(ofBars.map((name) => `${name}\n`).join(""))
  for (const part of hashedBytes(undefined, times)) hash.update(part)
  const others = Object.keys(columns).filter((name) => !ofBars.includes(name))
  for (const name of [...ofBars, ...others.toSorted()]) {
    const values = columns[name] ?? []
    if (values.every((value) => value === null)) continue
    hash.update(`${name}\n`)
    for (const part of hashedBytes(types[name], values)) hash.update(part)
  }
  return hash.digest("hex")
}

/** The columns of an Arrow stream as a JSON reply has them. */
const columnsOf = (bytes: Uint8Array): unknown => {
  const table = tableFromIPC(bytes)
  return Object.fromEntries(
    table.schema.fields.map(({ name }) => [name, Array.from(table.getChild(name) ?? [], (value: unknown) => value)])
  )
}

describe("the golden files", () => {
  it.each(Object.keys(vectors))("%s is what the code makes", (name) => {
    expect(textOf(name)).toBe(`${JSON.stringify(vectors[name], null, 2)}\n`)
  })
  it("are all of the folder, and all told about in its README", () => {
    const inFolder = readdirSync(folder).filter((name) => name !== "README.md")
    expect(inFolder.toSorted()).toEqual(Object.keys(vectors).toSorted())
    const told = [...textOf("README.md").matchAll(/^\| `([\w.]+)`/gm)].map(([, name]) => name)
    expect(new Set(told)).toEqual(new Set(inFolder))
  })
})

describe("a client that has only the golden files", () => {
  it("reads the same rows and account from either form of a reply", () => {
    const table = bytesOf(exchanges.readArrow.reply.base64)
    expect(columnsOf(table)).toEqual(exchanges.read.reply.body.columns)
    const meta = tableFromIPC(table).schema.metadata.get("seamless.meta") ?? ""
    expect(JSON.parse(meta)).toEqual(exchanges.read.reply.body.meta)
  })
  it.each([exchanges.read, exchanges.readArrow, exchanges.readError])(
    "sends a request that is understood",
    (exchange) => expect(Option.isSome(Schema.decodeUnknownOption(HistoryRequest)(exchange.request.body))).toBe(true)
  )
  it("names a chunk by its bytes, and finds the header and the rows in it", () => {
    const bytes = bytesOf(records.chunk.base64)
    expect(sha256(bytes)).toBe(records.chunk.id)
    const { __source, __ingest_at, __backfill_job_id, ...inBytes } = records.chunk.columns
    expect(columnsOf(bytes)).toEqual(inBytes)
    const header: unknown = JSON.parse(tableFromIPC(bytes).schema.metadata.get(Chunk.headerKey) ?? "")
    expect(header).toMatchObject({ contentHash: records.chunk.contentHash, lineage: [{ rows: 3 }] })
  })
  it("names a page by its compact JSON", () => {
    expect(sha256(JSON.stringify(JSON.parse(textOf("page.json")).record))).toBe(records.page.id)
  })
  it("follows the chain of roots by hashing each root's compact JSON", () => {
    const file: typeof records.root = JSON.parse(textOf("root.json"))
    const hashes = file.roots.map(({ root }) => sha256(JSON.stringify(root)))
    expect(hashes).toEqual(file.roots.map(({ hash }) => hash))
    expect(file.roots.map(({ root }) => root.previousRootHash)).toEqual(["", ...hashes.slice(0, -1)])
    expect(file.record.state).toEqual(file.roots[1]?.root)
    expect(Option.isSome(Schema.decodeUnknownOption(CoverageRoot)(file.record.state))).toBe(true)
  })
  it("reads the same request, rows, account and refusal from MessagePack", () => {
    const { refused, reply, request } = answers.readMessagePack
    expect(unpackTyped(bytesOf(request.base64))).toEqual(exchanges.read.request.body)
    expect(plainOf(unpackTyped(bytesOf(reply.base64)))).toEqual(exchanges.read.reply.body)
    expect(unpackTyped(bytesOf(refused.base64))).toEqual(exchanges.readError.reply.body)
  })
  it("puts the rows of parts behind each other, and has the account with the last", () => {
    const { parts } = answers.readInParts
    const bodies = parts.map(({ body }) => decodePart(body))
    for (const [name, values] of Object.entries(exchanges.read.reply.body.columns)) {
      expect(bodies.flatMap(({ columns }) => columns[name])).toEqual(values)
    }
    expect(bodies.map(({ meta }) => meta)).toEqual([undefined, undefined, exchanges.read.reply.body.meta])
    expect(parts.map(({ headers }) => headers["Seamless-Last"])).toEqual([undefined, undefined, "true"])
    expect(parts.every(({ headers }) => headers["Seamless-Flow"] === answers.readInParts.grant.subject)).toBe(true)
  })
  it("knows a reply for the tag of every error, in both of its forms", () => {
    const tags = errorReplies.map(({ headers }) => headers["Nats-Service-Error"])
    expect(new Set(tags)).toEqual(new Set([...Object.keys(names.errors.codes), "StoreDamaged", "InternalError"]))
    expect(new Set(errorReplies.map(({ messagePack }) => messagePack)).size).toBe(tags.length)
    for (const { body, headers, messagePack } of errorReplies) {
      expect(unpackTyped(bytesOf(messagePack))).toEqual(body)
      expect(body).toMatchObject({ error: { tag: headers["Nats-Service-Error"] } })
    }
  })
  it.each(["request", "answer", "refusal", "undelivered"] as const)(
    "reads the %s of actors as MessagePack",
    (which) => {
      const { base64, value } = records.actorMessage[which]
      expect(Codec.unpack(bytesOf(base64))).toEqual(Option.some(value))
    }
  )
  it("reads what is told of a job, on the subject of what happened to it", () => {
    const { body, subject } = records.job.event
    expect(Option.isSome(Schema.decodeUnknownOption(JobEvent)(body))).toBe(true)
    expect(subject).toBe(`seamless.v1.events.backfill.failed.${records.job.key}`)
  })
  it("an actor's message is an envelope", () => {
    expect(Schema.is(Envelope)(records.actorMessage.request.value)).toBe(true)
  })
  it("computes the fingerprint of an answer from its lines", () => {
    const { meta } = exchanges.read.reply.body
    const lines = [
      "seamless-fingerprint 1",
      '["ohlcv:binance:BTC/BUSD","1m"]',
      "[1670889600000,1670889780000]",
      JSON.stringify(meta.coverageRanges),
      `1670889600000 ${records.chunk.contentHash}`
    ]
    expect(`sha256:${sha256(`${lines.join("\n")}\n`)}`).toBe(meta.fingerprint)
  })
  it("reads columns of every type from each form of a reply, with the same values", () => {
    for (const { base64 } of typedRows.arrow) {
      const table = tableFromIPC(bytesOf(base64))
      const columns = table.schema.fields.map(({ name }) => [name, Array.from(table.getChild(name) ?? [], jsonOf)])
      expect(Object.fromEntries(columns)).toEqual(typedRows.json.columns)
    }
    const packed = unpackTyped(bytesOf(typedRows.messagePack.base64))
    expect(plainOf(packed)).toEqual({ columns: typedRows.json.columns, types: typedRows.json.types })
    const forms = typedRows.arrow.map(({ base64 }) => tableFromIPC(bytesOf(base64)).schema.fields[4])
    expect(forms.map((field) => String(field?.type))).toEqual(["Utf8", "Dictionary<Int32, Utf8>"])
  })
  it("computes the content hash of columns of every type", () => {
    const { __source, __ingest_at, __backfill_job_id, __flags, ...columns } = typedRows.json.columns
    expect(hashOf(columns, typedRows.json.types)).toBe(typedRows.contentHash)
  })
  it("computes content hashes from event times and columns", () => {
    const file: typeof records.contentHashes = JSON.parse(textOf("contentHashes.json"))
    for (const { columns, contentHash, types = {} } of file) expect(hashOf(columns, types)).toBe(contentHash)
  })
})
