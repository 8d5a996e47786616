/** Does a frame reach its caller whole? */
import { assert, it } from "vitest"
import { fromFrame } from "../../client/HistoryFrame.ts"
import * as Frame from "../../protocol/frame/Frame.ts"
import { floatSchema } from "../support/floatFrames.ts"
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

it("fromFrame() of no rows has columns of no rows", () => {
  const empty = fromFrame(Frame.empty(floatSchema(["close"])))
  assert.strictEqual(empty.length, 0)
  for (const column of Object.values(empty.columns)) assert.strictEqual(column.length, 0)
})
