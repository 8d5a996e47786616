/**
 * How fast are the replies and requests that callers get and send in MessagePack, beside msgpackr?
 *
 * Ours and the library write the same reply of the same frame: columns as arrays of numbers, texts by row, an account.
 * Both are read by the library and checked to say the same; their bytes differ in how whole numbers beyond 32 bits are
 * written. Then a request is read by both.
 */
import assert from "node:assert/strict"
import { parseArgs } from "node:util"
import { Option } from "effect"
import { Packr } from "msgpackr"
import { packColumns } from "../actors/provider/packColumns.ts"
import { float64 } from "../protocol/frame/Column.ts"
import type { Frame } from "../protocol/frame/Frame.ts"
import { pack } from "../protocol/wire/PlainPack.ts"
import { unpackPlain } from "../protocol/wire/unpackPlain.ts"
import { formatRatio, formatUs, medianUs, toTable, type Work } from "./support/measure.ts"

const usage = `usage: node bench/messagePack.ts [--once]

Times writing a reply and reading a request in MessagePack against msgpackr.

  --once  one iteration of each, to see that it runs
  --help  this text`

const startMs = 1_670_889_600_000

const frameOf = (rows: number): Frame => ({
  eventTimeMs: new Float64Array(rows).map((_, row) => startMs + row * 60_000),
  columns: ["open", "high", "low", "close", "volume"].map((name, column) =>
    float64(
      name,
      new Float64Array(rows).map((_, row) => Math.sin(row * (column + 1)) * 1000)
    )
  ),
  flags: new Uint32Array(rows).fill(1),
  lineage: [{ rows, source: "binance", ingestAtMs: 1_763_800_000_000, jobId: "1670889600000.1" }]
})

const request = { nodeId: "ohlcv:binance:BTC/USDT", interval: "1m", start: startMs, end: startMs + 86_400_000 }

/** Something like an account: what is left out, and times. */
const meta = { ...request, version: 17, retryAt: undefined, missingRanges: [{ start: startMs, reason: null }] }

const packr = new Packr({ useRecords: false, mapsAsObjects: true, moreTypes: true, variableMapSize: true })

/** Plain data as the library writes it in integers, and without what is undefined. */
const writable = (value: unknown): unknown => {
  if (typeof value === "number")
    return Number.isSafeInteger(value) && Math.abs(value) >= 2 ** 31 ? BigInt(value) : value
  if (Array.isArray(value)) return value.map(writable)
  if (typeof value !== "object" || value === null) return value
  const entries = Object.entries(value).filter(([, each]) => each !== undefined)
  return Object.fromEntries(entries.map(([key, each]) => [key, writable(each)]))
}

const ours = (frame: Frame): Uint8Array => pack({ columns: packColumns(frame), meta })

/** Texts by row, as the library takes them; made once, in its favour. */
const listsOf = ({ eventTimeMs: { length }, lineage }: Frame) => {
  const [{ ingestAtMs, jobId, source }] = lineage as [Frame["lineage"][number]]
  return { sources: Array.from({ length }, () => source), jobs: Array.from({ length }, () => jobId), ingestAtMs }
}

const theirs = (frame: Frame, { ingestAtMs, jobs, sources }: ReturnType<typeof listsOf>): Uint8Array => {
  const { columns, eventTimeMs, flags } = frame
  return packr.pack({
    columns: {
      event_time: eventTimeMs,
      ...Object.fromEntries(columns.map(({ name, values }) => [name, values])),
      __source: sources,
      __ingest_at: new Float64Array(eventTimeMs.length).fill(ingestAtMs),
      __backfill_job_id: jobs,
      __flags: flags
    },
    meta: writable(meta)
  })
}

const asNumbers = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, each) => (typeof each === "bigint" ? Number(each) : each)))

const packedRequest = pack(request)

const checkEqual = (frame: Frame, lists: ReturnType<typeof listsOf>): void => {
  assert.deepEqual(asNumbers(packr.unpack(ours(frame))), asNumbers(packr.unpack(theirs(frame, lists))))
  assert.deepEqual(Option.getOrThrow(unpackPlain(packedRequest)), request)
}

const { values } = parseArgs({
  options: { once: { type: "boolean", default: false }, help: { type: "boolean", default: false } }
})

const compare = (name: string, candidates: readonly [Work, Work]): ReadonlyArray<string> => {
  const [our = NaN, their = NaN] = medianUs(candidates, values)
  return [name, formatUs(our), formatUs(their), formatRatio(their, our)]
}

if (values.help) console.log(usage)
else {
  const replies = [1_440, 50_000].map((rows) => {
    const frame = frameOf(rows)
    const lists = listsOf(frame)
    checkEqual(frame, lists)
    return compare(`write a reply of ${rows.toLocaleString("en")} bars`, [
      () => ours(frame),
      () => theirs(frame, lists)
    ])
  })
  const read = compare("read a request", [() => unpackPlain(packedRequest), () => packr.unpack(packedRequest)])
  console.log(toTable(["MessagePack", "ours", "msgpackr", "ratio"], [...replies, read]))
}
