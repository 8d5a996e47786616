/** Which data are the golden messages about: three real minutes of 2022-12-13, as they were backfilled. */
import * as Frame from "../../../protocol/frame/Frame.ts"
import { RowFlag } from "../../../protocol/frame/RowFlag.ts"
import { jobId } from "../../../protocol/history/BackfillJob.ts"
import type { CoverageRoot } from "../../../protocol/history/CoverageRoot.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { readBars } from "../../support/csv.ts"
import { conformed } from "../../support/rows.ts"

/** The series. */
export const series: CoverageRoot["series"] = { nodeId: "ohlcv:binance:BTC/BUSD", interval: "1m" }

/** The window: one day. */
export const day = { start: 1_670_889_600_000, end: 1_670_976_000_000 } as const

/** What is asked for: its first three bars. */
export const asked = { start: day.start, end: day.start + 180_000 } as const

/** The time asked for, as a set. */
export const covered = RangeSet.of(asked.start, asked.end)

/** When it all happens. */
export const ingestAtMs = 1_763_800_000_000

const bars = readBars(new URL("../../../examples/data/binance-btcbusd-1m-20221213.csv", import.meta.url))

const { frame } = conformed(bars, {
  ingestAtMs,
  jobId: jobId({ windowStart: day.start, run: 1 }),
  flags: RowFlag.backfilled
})

/** The three bars. */
export const rows: Frame.Frame = Frame.within(frame, asked.start, asked.end)
