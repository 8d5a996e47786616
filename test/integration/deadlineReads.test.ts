/**
 * Is nobody kept waiting by a source that hangs, and is what was begun for them kept?
 *
 * The exchange's process stands still, so that a request to it is taken and never answered. How late answers are is
 * for the bench of deadlines; here it counts that there are any, what they say, and what comes of the work.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import process from "node:process"
import { timedReads } from "../../bench/deadlines/timedReads.ts"
import type { Range } from "../../protocol/history/Range.ts"
import * as BarFile from "../support/BarFile.ts"
import * as Cluster from "../support/ClusterHarness.ts"

const file = BarFile.barFiles.fullDay
const { interval, node } = file
const midnightMs = BarFile.read(file).range[0]
const windowBars = 60
const windows = Array.from({ length: 8 }, (_, index): Range => {
  const start = midnightMs + index * windowBars * 60_000
  return [start, start + windowBars * 60_000]
})
const whole: Range = [windows[0]![0], windows.at(-1)![1]]

describe("reads of what a hanging source has", () => {
  it.live("are all answered and say why they lack it; when it goes on, one fetch serves those who come next", () =>
    Effect.gen(function* () {
      const exchange = yield* Cluster.startExchange([file])
      const klines = () => Cluster.klines(exchange.requests()).length
      const settings = { files: [file], source: { requestTimeoutMs: 600_000 }, series: { windowBars } }
      const cluster = yield* Cluster.make(settings, { exchanges: [exchange.url] })
      const { servers } = yield* cluster.startHost("a")
      const nc = yield* Cluster.startConnection(servers)
      const client = yield* Cluster.startClient(servers)
      const patient = { strategy: "auto_backfill", sla: { totalDeadlineMs: 60_000 } } as const
      // what it trades is asked for by the first request
      yield* Cluster.readFile(client, file, windows[0]!, patient)

      yield* Effect.acquireRelease(
        Effect.sync(() => process.kill(exchange.pid, "SIGSTOP")),
        () => Effect.sync(() => process.kill(exchange.pid, "SIGCONT"))
      )
      const load = { nodeId: node, interval, ranges: windows.slice(1), count: 300, atOnce: 60 }
      const ended = yield* Effect.promise(() => timedReads(nc, load))
      assert.lengthOf(ended, 300)
      const outcomes = new Set(ended.map(({ outcome }) => outcome))
      // on a busy machine the shortest budget may be over before it is known what is covered
      outcomes.delete("DeadlineExceeded")
      assert.deepStrictEqual(outcomes, new Set(["partial"]))

      process.kill(exchange.pid, "SIGCONT")
      const { meta } = yield* Cluster.readFile(client, file, whole, patient)
      assert.deepStrictEqual(meta.coverageRanges, [whole])
      const asked = klines()
      const next = yield* Cluster.readFile(client, file, whole, { strategy: "fail_fast" })
      assert.strictEqual(next.df.length, windows.length * windowBars)
      assert.strictEqual(klines(), asked)
      // one page for each lot of windows that a worker took: nobody's wait made it ask again
      assert.isAtMost(asked, windows.length)
    })
  )
})
