/** Does the command line read the past, tell what differs, and sweep? */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { AdminAnswer } from "../../client/admin.ts"
import type { HistoryDiff } from "../../protocol/history/HistoryDiff.ts"
import * as BarFile from "../support/BarFile.ts"
import * as Cluster from "../support/ClusterHarness.ts"
import { runCommand } from "../support/runCommand.ts"

const { fullDay: file } = BarFile.barFiles
const day = "2022-12-13T"
const at = (time: string): number => Date.parse(`${day}${time}:00Z`)

const setUp = Effect.gen(function* () {
  const { client, servers } = yield* Cluster.start({ files: [file] })
  const seamless = (...args: ReadonlyArray<string>) =>
    Effect.promise(() => runCommand([args[0]!, ...args.slice(1), "--nats", servers]))
  const ensure = (from: string, to: string) =>
    Cluster.asking(() =>
      client.ensureAvailable(file.node, file.interval, at(from), at(to), { sla: { totalDeadlineMs: 20_000 } })
    )
  return { client, seamless, ensure }
})

describe("seamless read and coverage --as-of", () => {
  it.live("show what stood at a version and at a time, and refuse a point that is none", () =>
    Effect.gen(function* () {
      const { client, ensure, seamless } = yield* setUp
      yield* ensure("00:00", "00:03")
      const between = Date.now()
      yield* ensure("00:03", "00:05")
      const range = [file.node, file.interval, `${day}00:00`, `${day}00:05`]
      const now = yield* seamless("read", ...range, "--format", "json")
      assert.deepStrictEqual([now.code, JSON.parse(now.out).columns.event_time.length], [0, 5])
      for (const point of ["1", new Date(between).toISOString()]) {
        const then = yield* seamless("read", ...range, "--as-of", point, "--format", "json", "--meta")
        assert.strictEqual(then.code, 3, then.err)
        const { columns, meta } = JSON.parse(then.out)
        assert.deepStrictEqual([columns.event_time.length, meta.coverageVersion], [3, 1], point)
        const coverage = yield* seamless("coverage", file.node, file.interval, "--as-of", point, "--format", "json")
        assert.deepStrictEqual(JSON.parse(coverage.out).coverageRanges, [[at("00:00"), at("00:03")]])
      }
      const shown = yield* seamless("read", ...range, "--as-of", "2")
      assert.strictEqual(shown.code, 0, shown.err)
      assert.match(shown.err, /^as of version 2 of .*: nothing is fetched for the past$/m)
      const future = yield* seamless("read", ...range, "--as-of", "9")
      assert.deepStrictEqual([future.code, future.out], [4, ""])
      assert.match(future.err, /^UnknownPoint: version 9 of .* has not come yet; kept are version 0 .* to version 2 /)
      const wrong = yield* seamless("read", ...range, "--as-of", "20221213")
      assert.deepStrictEqual([wrong.code, wrong.out], [2, ""])
      assert.match(wrong.err, /did you mean 2022-12-13\?/)
      // and a program has the same
      const report = yield* Cluster.asking(() => client.coverage(file.node, file.interval, { asOf: { version: 1 } }))
      assert.strictEqual(report.coverageVersion, 1)
    })
  )
})

describe("seamless diff", () => {
  it.live("shows what differs between versions, as a table and as JSON, and where it goes on", () =>
    Effect.gen(function* () {
      const { ensure, seamless } = yield* setUp
      yield* ensure("00:00", "00:02")
      yield* ensure("00:02", "00:05")
      const versions = [file.node, file.interval, "--from-version", "1", "--to-version", "2"]
      const table = yield* seamless("diff", ...versions)
      assert.deepStrictEqual([table.code, table.err], [0, ""])
      const lines = table.out.trimEnd().split("\n")
      assert.match(lines[0]!, /^ohlcv:binance:BTC\/BUSD 1m, from version 1 of .* to version 2 of /)
      assert.lengthOf(lines, 3 + 1 + 3)
      assert.match(lines.at(-1)!, /^2022-12-13T00:04:00Z +added +open \d/)
      const part = yield* seamless("diff", ...versions, "--limit", "2", "--format", "json")
      const found: HistoryDiff = JSON.parse(part.out)
      assert.deepStrictEqual([part.code, found.changes.length, found.next], [3, 2, at("00:04")])
      assert.match(JSON.parse(part.err).notes[0], /goes on with --from 2022-12-13T00:04:00Z/)
      const rest = yield* seamless(
        "diff",
        ...versions,
        "--from",
        `${day}00:04`,
        "--to",
        `${day}01:00`,
        "--format",
        "json"
      )
      assert.deepStrictEqual([rest.code, JSON.parse(rest.out).changes.length], [0, 1])
      const none = yield* seamless("diff", file.node, file.interval, "--from-version", "2", "--to-version", "2")
      assert.match(none.out, /no bar differs\n$/)
      for (const wrong of [
        ["--to", `${day}01:00`],
        ["--from", `${day}01:00`, "--to", `${day}00:00`]
      ]) {
        const { code, err, out } = yield* seamless("diff", ...versions, ...wrong)
        assert.deepStrictEqual([code, out], [2, ""], err)
      }
      assert.strictEqual((yield* seamless("diff", file.node, file.interval, "--from-version", "1")).code, 2)
    })
  )
})

describe("seamless sweep", () => {
  it.live("counts, sweeps and tells what it did, and leaves alone what is young", () =>
    Effect.gen(function* () {
      const { ensure, seamless } = yield* setUp
      yield* ensure("00:00", "00:02")
      yield* ensure("00:02", "00:05")
      const dry = yield* seamless("sweep", "--dry-run", file.node, file.interval, "--format", "json")
      assert.deepStrictEqual([dry.code, dry.err], [0, ""])
      const run: AdminAnswer<"sweep"> = JSON.parse(dry.out)
      assert.deepInclude(run, { isDry: true, seriesDone: 1, seriesTotal: 1, troubles: [] })
      assert.strictEqual(run.tally.chunks.young.count, 2)
      assert.strictEqual(run.tally.chunks.swept.count, 0)
      const table = yield* seamless("sweep")
      assert.deepStrictEqual([table.code, table.err], [0, ""])
      assert.match(table.out, /^sweep of 1 series by \S+, begun .*, ended /)
      assert.match(table.out, /chunks +0, 0 bytes +0, 0 bytes +2, \d+(\.\d)? (KiB|bytes)/)
      const status = yield* seamless("sweep", "--status")
      assert.match(status.out, /^sweep of 1 series by .*\nby itself: 20\d\d-/s)
      const half = yield* seamless("sweep", file.node)
      assert.deepStrictEqual([half.code, half.out], [2, ""])
      const unknown = yield* seamless("sweep", "nobody", "1m")
      assert.deepStrictEqual([unknown.code, unknown.out], [4, ""])
      assert.match(unknown.err, /^UnknownSeries: /)
    })
  )
})
