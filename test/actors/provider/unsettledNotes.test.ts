/** Does a note name just the sources that may still change bars of the answer? */
import { expect, it } from "vitest"
import { unsettledNotes } from "../../../actors/provider/unsettledNotes.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"

const minute = 60_000

it("unsettledNotes() counts bars of the covered time, and names the sources of these alone", () => {
  const unsettled = [
    { start: 0, end: 2 * minute, source: "binance", settleMs: minute },
    { start: 8 * minute, end: 9 * minute, source: "kraken", settleMs: minute }
  ]
  expect(unsettledNotes(unsettled, RangeSet.of(minute, 5 * minute), minute)).toEqual([
    "1 bar may still be changed by binance, and will be asked for once more"
  ])
  expect(unsettledNotes(unsettled, RangeSet.of(3 * minute, 5 * minute), minute)).toEqual([])
})
