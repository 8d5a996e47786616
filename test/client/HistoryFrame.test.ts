/** Does a frame reach its caller whole? */
import { DataType, Table, tableFromIPC, tableToIPC } from "apache-arrow"
import { assert, describe, it } from "vitest"
import { fromFrame, HistoryFrame, join, toHistoryFrame } from "../../client/HistoryFrame.ts"
import * as Frame from "../../protocol/frame/Frame.ts"
import { fromJson } from "../../protocol/frame/FrameJson.ts"
import { floats, floatSchema } from "../support/floatFrames.ts"
import { typedFrame } from "../support/typedFrame.ts"
import { frame } from "./answers.ts"

it("fromFrame() names the columns in the order of the wire", () => {
  assert.deepStrictEqual(Object.keys(fromFrame(frame).columns), [
    "event_time",
    "close",
    "volume",
    "__source",
    "__ingest_at",
    "__backfill_job_id",
    "__flags"
  ])
})

it("fromFrame() gives every row its lineage", () => {
  const { columns } = fromFrame(frame)
  assert.deepStrictEqual(columns["__ingest_at"], Float64Array.of(999, 999))
  assert.deepStrictEqual(columns["__backfill_job_id"], ["j", "j"])
  assert.deepStrictEqual(columns["__flags"], Uint32Array.of(1, 3))
})

it("toColumns() gives plain arrays, null for a missing value", () => {
  const plain = fromFrame(frame).toColumns()
  assert.deepStrictEqual(plain["volume"], [10, null])
  assert.deepStrictEqual(JSON.parse(JSON.stringify(plain)), plain)
})

it("fromFrame() gives typed values, and null where one is missing that has no NaN", () => {
  const { columns, types } = fromFrame(typedFrame)
  assert.deepStrictEqual(columns["close"], Float64Array.of(1.5, 2.5, Number.NaN))
  assert.deepStrictEqual(columns["trades"], [2n ** 63n - 1n, -(2n ** 63n) + 1n, null])
  assert.deepStrictEqual(columns["halted"], [true, false, null])
  assert.deepStrictEqual(columns["venue"], ["XNYS", 'Börse "Nord"', null])
  assert.deepStrictEqual(columns["settledAt"], Float64Array.of(-1, 1_670_889_600_000, Number.NaN))
  assert.deepStrictEqual(types, { trades: "int64", halted: "bool", venue: "category", settledAt: "timestamp" })
  assert.deepStrictEqual(fromFrame(frame).types, {})
})

it("toColumns() and types are what a reader of JSON needs", () => {
  const df = fromFrame(typedFrame)
  assert.deepStrictEqual(fromJson(JSON.parse(JSON.stringify(df.toColumns())), df.types), typedFrame)
})

it("fromFrame() of no rows has columns of no rows", () => {
  const empty = fromFrame(Frame.empty(floatSchema(["close"])))
  assert.strictEqual(empty.length, 0)
  for (const column of Object.values(empty.columns)) assert.strictEqual(column.length, 0)
})

describe("the table", () => {
  it("a HistoryFrame is an Arrow table, with Arrow's types and nulls", () => {
    const df = fromFrame(typedFrame)
    assert.instanceOf(df, Table)
    assert.instanceOf(df, HistoryFrame)
    assert.strictEqual(df.numRows, df.length)
    assert.strictEqual(df.getChild("trades")?.get(2), null)
    assert.strictEqual(df.getChild("event_time")?.get(0), df.columns["event_time"]?.[0])
    assert.isTrue(DataType.isTimestamp(df.schema.fields[0]?.type))
  })

  it("a HistoryFrame can be written as Arrow and read back", () => {
    const read = toHistoryFrame(tableFromIPC(tableToIPC(fromFrame(typedFrame), "file")))
    assert.deepStrictEqual(read.toColumns(), fromFrame(typedFrame).toColumns())
  })

  it("columns are made once, when they are asked for", () => {
    const df = fromFrame(frame)
    assert.strictEqual(df.columns, df.columns)
  })
})

describe("join", () => {
  const cut = (at: number) =>
    [Frame.slice(typedFrame, 0, at), Frame.slice(typedFrame, at, 3)].map((part) => fromFrame(part))

  it.each([0, 1, 2, 3])("join() puts the rows of parts one after another, cut at %i", (at) => {
    const joined = join(cut(at))
    assert.deepStrictEqual(joined.toColumns(), fromFrame(typedFrame).toColumns())
    assert.deepStrictEqual(joined.columns["venue"], ["XNYS", 'Börse "Nord"', null])
    assert.strictEqual(joined.getChild("venue")?.get(1), 'Börse "Nord"')
    assert.deepStrictEqual(joined.types, fromFrame(typedFrame).types)
  })

  it("join() copies nothing where all parts have the same columns", () => {
    const parts = cut(1)
    assert.strictEqual(join(parts).batches[1], parts[1]?.batches[0])
  })

  it("join() has a column missing in the rows of a part that lacks it", () => {
    const later: Frame.Frame = {
      ...frame,
      eventTimeMs: Float64Array.of(180_000, 240_000),
      columns: [floats("close", 3, 4)]
    }
    const joined = join([fromFrame(frame), fromFrame(later, new Map([["told", "last"]]))])
    assert.deepStrictEqual(joined.toColumns()["volume"], [10, null, null, null])
    assert.deepStrictEqual(joined.columns["close"], Float64Array.of(1.5, 2.5, 3, 4))
    assert.strictEqual(joined.schema.metadata.get("told"), "last")
  })

  it("join() of nothing has no rows", () => {
    assert.strictEqual(join([]).length, 0)
  })
})
