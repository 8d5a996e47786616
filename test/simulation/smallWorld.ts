/**
 * What is smaller in the simulated world than in the real one?
 *
 * Numbers that decide how much there is of something, and not how it works: so that sixty seconds of a cluster take
 * well under one.
 */
import type { SourceEdit } from "./SourceEdit.ts"

/** What is changed, and how. */
export const smallWorld: ReadonlyArray<SourceEdit> = [
  // each slot works as every other one
  { file: "protocol/wire/Manifest.ts", from: "slotCount: 256", to: "slotCount: 8" },
  // workers of three hosts get into each other's way as those of one do
  { file: "protocol/Settings.ts", from: "concurrency: 4", to: "concurrency: 1" },
  // a backfill goes through what there is in several lots
  { file: "protocol/history/planBackfill.ts", from: "windowsPerErrand = 16", to: "windowsPerErrand = 3" },
  { file: "actors/backfills/planWork.ts", from: "outstandingMax = 64", to: "outstandingMax = 3" },
  // a run is a minute: what is put is named within less than half of it, whatever befalls who put it
  {
    file: "actors/sweeper/SweeperActor.ts",
    from: "ageMsDefault = 24 * 3_600_000",
    to: "ageMsDefault = 22_000"
  },
  { file: "actors/sweeper/SweeperActor.ts", from: "graceMs = 3_600_000", to: "graceMs = 6_000" },
  { file: "actors/sweeper/keptRoots.ts", from: "namedWithinMs = 3_600_000", to: "namedWithinMs = 3_000" },
  // a sweep goes through a series in several batches
  { file: "actors/sweeper/sweepSeries.ts", from: "candidatesMax = 50_000", to: "candidatesMax = 8" },
  { file: "actors/sweeper/Sweeping.ts", from: `askAfter = "10 minutes"`, to: `askAfter = "3 seconds"` },
  // a process that watches itself fifty times a second does little else; pauses here last longer
  { file: "runtime/Pause.ts", from: "turnEveryMs = 20", to: "turnEveryMs = 500" },
  { file: "runtime/Pause.ts", from: "pauseMsMin = 50", to: "pauseMsMin = 700" }
]
