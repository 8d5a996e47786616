/** Can a person read bars, and are they the same bars? */
import { assert, it } from "vitest"
import { historyTable } from "../../bin/historyTable.ts"
import { fromFrame } from "../../client/HistoryFrame.ts"
import { frame } from "../client/answers.ts"
import { typedFrame } from "../support/typedFrame.ts"
import { floats } from "../support/floatFrames.ts"

it("historyTable() writes a line a bar, times in ISO 8601, flags by name", () => {
  assert.deepStrictEqual(historyTable(fromFrame(frame)).split("\n"), [
    "event_time            close  volume  source   flags",
    "1970-01-01T00:01:00Z    1.5      10  binance  BACKFILLED",
    "1970-01-01T00:02:00Z    2.5       -  binance  BACKFILLED,LIVE"
  ])
})

it("historyTable() writes each type as it is, and a dash where a value is missing", () => {
  assert.deepStrictEqual(historyTable(fromFrame(typedFrame)).split("\n"), [
    "event_time            close                trades  halted  venue         settledAt                 source  flags",
    "1970-01-01T00:01:00Z    1.5   9223372036854775807    true  XNYS          1969-12-31T23:59:59.999Z  lake    BACKFILLED",
    '1970-01-01T00:02:00Z    2.5  -9223372036854775807   false  Börse "Nord"  2022-12-13T00:00:00Z      lake    BACKFILLED,ADJUSTED',
    "1970-01-01T00:03:00Z      -                     -       -  -             -                         lake    BACKFILLED"
  ])
})

it("historyTable() rounds no digit away", () => {
  const table = historyTable(fromFrame({ ...frame, columns: [floats("close", 0.1 + 0.2, 1e21)] }))
  assert.include(table, "0.30000000000000004")
  assert.include(table, "1e+21")
})
