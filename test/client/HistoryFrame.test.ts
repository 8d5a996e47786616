/** Does a frame reach its caller whole? */
import { assert, it } from "vitest"
import { fromFrame } from "../../client/HistoryFrame.ts"
import * as Frame from "../../protocol/frame/Frame.ts"
import { fromJson } from "../../protocol/frame/FrameJson.ts"
import { floatSchema } from "../support/floatFrames.ts"
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
  const { types, toColumns } = fromFrame(typedFrame)
  assert.deepStrictEqual(fromJson(JSON.parse(JSON.stringify(toColumns())), types), typedFrame)
})

it("fromFrame() of no rows has columns of no rows", () => {
  const empty = fromFrame(Frame.empty(floatSchema(["close"])))
  assert.strictEqual(empty.length, 0)
  for (const column of Object.values(empty.columns)) assert.strictEqual(column.length, 0)
})
