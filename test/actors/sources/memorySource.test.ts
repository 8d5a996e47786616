/** Does the source in memory hold what every source must hold? */
import { Effect } from "effect"
import { makeMemory } from "../../../actors/sources/memorySource.ts"
import type { RawRows } from "../../../protocol/frame/RawRows.ts"
import { dataSourceSuite } from "../../suites/dataSourceSuite.ts"
import { flatBars, intervalOf, pickRows } from "../../support/rows.ts"

const symbol = "BTC/BUSD"
const interval = intervalOf("1m")

const complete = flatBars(Array.from({ length: 20 }, (_, minute) => minute))
// minutes 3 to 6 and 11 had no trade
const quiet = flatBars([0, 1, 2, 7, 8, 9, 10, 12, 13, 14])

const sourceOf = (bars: RawRows, barsPerRequest: number) =>
  Effect.succeed(
    makeMemory({
      name: "memory",
      capabilities: { barsPerRequest, maxEmptyBars: 60, finalityDelayMs: 0, attemptsMax: 1 },
      bars: new Map([[symbol, bars]])
    })
  )

dataSourceSuite({ name: "memory", make: sourceOf(complete, 3), symbol, interval, bars: complete, tellsFirstBar: true })
dataSourceSuite({
  name: "memory, a quiet market",
  make: sourceOf(quiet, 4),
  symbol,
  interval,
  bars: quiet,
  tellsFirstBar: true
})
dataSourceSuite({
  name: "memory, unsealed columns",
  make: sourceOf(
    {
      eventTime: Array.from(complete.eventTime),
      columns: complete.columns.map(({ name, values }) => ({ name, values: Array.from(values, String) }))
    },
    7
  ),
  symbol,
  interval,
  bars: pickRows(complete, Array.from(complete.eventTime.keys())),
  tellsFirstBar: true
})
