/**
 * How fast do rows become bytes and come back, beside Arrow alone, msgpackr and JSON?
 *
 * The rows are event times and eight columns of float64. A chunk is what is stored; a reply has its lineage as columns,
 * which the others are not asked for. All run in this process and in turns, and are checked to bring the same numbers.
 */
import assert from "node:assert/strict"
import { parseArgs } from "node:util"
import { tableFromArrays, tableFromIPC, tableToIPC } from "apache-arrow"
import { Packr } from "msgpackr"
import * as Category from "../protocol/frame/Category.ts"
import { type Column, float64 } from "../protocol/frame/Column.ts"
import type { Frame } from "../protocol/frame/Frame.ts"
import * as FrameCodec from "../protocol/frame/FrameCodec.ts"
import { formatRatio, formatUs, medianUs, toTable, type Work } from "./support/measure.ts"

const usage = `usage: node bench/frameBytes.ts [--once]

Times writing and reading 100,000 rows against Arrow alone, msgpackr and JSON, and each type of column by itself.

  --once  one iteration of each, to see that it runs
  --help  this text`

const rows = 100_000
const columnCount = 8

const eventTimeMs = new Float64Array(rows).map((_, row) => 1_670_889_600_000 + row * 60_000)
const prices = (column: number) => new Float64Array(rows).map((_, row) => Math.sin(row * (column + 1)) * 1000)

const frameOf = (columns: ReadonlyArray<Column>): Frame => ({
  eventTimeMs,
  columns,
  flags: new Uint32Array(rows).fill(1),
  lineage: [{ rows, source: "binance", ingestAtMs: 1_763_800_000_000, jobId: "1670889600000.1" }]
})

const frame = frameOf(Array.from({ length: columnCount }, (_, column) => float64(`c${column}`, prices(column))))

/** The same rows without any type of ours. */
const arrays = {
  event_time: eventTimeMs,
  ...Object.fromEntries(frame.columns.map(({ name, values }) => [name, values as Float64Array]))
}

const packr = new Packr({ moreTypes: true, structuredClone: true })

const encodeChunk = (each: Frame): Uint8Array => FrameCodec.encode(each, { lineage: "none", metadata: new Map() })
const encodeReply = (each: Frame): Uint8Array => FrameCodec.encode(each, { lineage: "columns", metadata: new Map() })
const encodeJson = (): string =>
  JSON.stringify(Object.fromEntries(Object.entries(arrays).map(([name, values]) => [name, Array.from(values)])))

const written = {
  chunk: encodeChunk(frame),
  reply: encodeReply(frame),
  arrow: tableToIPC(tableFromArrays(arrays), "stream"),
  packed: packr.pack(arrays),
  json: encodeJson()
}

const checkEqual = (): void => {
  assert.deepEqual(FrameCodec.decode(written.chunk).frame.columns, frame.columns)
  assert.deepEqual(FrameCodec.decode(written.reply).frame, frame)
  const unpacked: typeof arrays = packr.unpack(written.packed)
  const parsed: Record<string, ReadonlyArray<number>> = JSON.parse(written.json)
  for (const { name, values } of frame.columns) {
    assert.deepEqual(tableFromIPC(written.arrow).getChild(name)?.toArray(), values)
    assert.deepEqual(Float64Array.from(parsed[name] ?? []), values)
  }
  assert.deepEqual(unpacked, arrays)
}

interface Case {
  readonly name: string
  readonly ours: Work
  readonly others: ReadonlyArray<Work>
}

/** What a reader does with a table of Arrow before it has numbers: `getChild` makes the vectors. */
const readArrow = (): unknown => {
  const table = tableFromIPC(written.arrow)
  return Object.keys(arrays).map((name) => table.getChild(name)?.data[0]?.values)
}

const writing: ReadonlyArray<Work> = [
  () => tableToIPC(tableFromArrays(arrays), "stream"),
  () => packr.pack(arrays),
  encodeJson
]

const reading: ReadonlyArray<Work> = [readArrow, () => packr.unpack(written.packed), () => JSON.parse(written.json)]

const cases: ReadonlyArray<Case> = [
  { name: "write a chunk", ours: () => encodeChunk(frame), others: writing },
  { name: "write a reply", ours: () => encodeReply(frame), others: writing },
  { name: "read a chunk", ours: () => FrameCodec.decode(written.chunk), others: reading },
  { name: "read a reply", ours: () => FrameCodec.decode(written.reply), others: reading }
]

const venues = Array.from({ length: 50 }, (_, place) => `venue ${place}`)

/** A column of each type, one value of a hundred missing. */
const typed: ReadonlyArray<readonly [what: string, column: Column]> = [
  ["float64", float64("a", prices(1))],
  ["int64", { name: "a", type: "int64", values: new BigInt64Array(rows).map((_, row) => BigInt(row)) }],
  [
    "bool",
    { name: "a", type: "bool", values: new Uint8Array(rows).map((_, row) => (row % 100 === 0 ? 255 : row % 2)) }
  ],
  ["timestamp", { name: "a", type: "timestamp", values: eventTimeMs.map((ms, row) => (row % 100 === 0 ? NaN : ms)) }],
  [
    "category of 50 texts",
    Category.fromTexts(
      "a",
      Array.from(eventTimeMs, (_, row) => (row % 100 === 0 ? null : venues[(row * 7919) % 50]!))
    )
  ],
  [
    "category, each text once",
    Category.fromTexts(
      "a",
      Array.from(eventTimeMs, (_, row) => `order ${row}`)
    )
  ]
]

const compare = ({ name, others, ours }: Case, once: boolean): ReadonlyArray<string> => {
  const [oursUs = 0, ...othersUs] = medianUs([ours, ...others], { once })
  return [name, formatUs(oursUs), ...othersUs.flatMap((us) => [formatUs(us), formatRatio(us, oursUs)])]
}

const timeType = ([what, column]: (typeof typed)[number], once: boolean): ReadonlyArray<string> => {
  const alone = frameOf([column])
  const bytes = encodeChunk(alone)
  assert.deepEqual(FrameCodec.decode(bytes).frame.columns, [column])
  return [what, ...medianUs([() => encodeChunk(alone), () => FrameCodec.decode(bytes)], { once }).map(formatUs)]
}

const { values } = parseArgs({
  options: { once: { type: "boolean", default: false }, help: { type: "boolean", default: false } }
})

if (values.help) console.log(usage)
else {
  checkEqual()
  const headings = ["100,000 rows", "FrameCodec", "Arrow alone", "ratio", "msgpackr", "ratio", "JSON", "ratio"]
  console.log(
    toTable(
      headings,
      cases.map((each) => compare(each, values.once))
    )
  )
  console.log()
  console.log(
    toTable(
      ["one column of", "write", "read"],
      typed.map((each) => timeType(each, values.once))
    )
  )
}
