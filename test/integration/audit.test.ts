/** Does an operator learn from the command line why a range is there or not, and whether the history holds? */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { AdminAnswer } from "../../client/admin.ts"
import type { SeamlessClient } from "../../client/SeamlessClient.ts"
import type { Range } from "../../protocol/history/Range.ts"
import * as RangeMeasure from "../../protocol/history/RangeMeasure.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import * as BarFile from "../support/BarFile.ts"
import * as Cluster from "../support/ClusterHarness.ts"
import { type Run, runCommand } from "../support/runCommand.ts"
import * as StoredRoots from "../support/StoredRoots.ts"
import { untilTrue } from "../support/untilTrue.ts"

type Audit = AdminAnswer<"audit">

const { fullDay, quiet } = BarFile.barFiles
const at = (time: string): number => Date.parse(`2022-12-13T${time}:00Z`)

/** A cluster whose exchange trades the one pair, and has never heard of the other. */
const setUp = Effect.gen(function* () {
  const exchange = yield* Cluster.startExchange([fullDay])
  const files = [fullDay, quiet]
  const cluster = yield* Cluster.make({ files, source: { attempts: 2 } }, { exchanges: [exchange.url] })
  const { servers } = yield* cluster.startHost("a")
  const audit = (...args: ReadonlyArray<string>) =>
    Effect.promise(() => runCommand(["audit", ...args, "--nats", servers]))
  const json = (...args: ReadonlyArray<string>): Effect.Effect<Audit> =>
    Effect.map(audit(...args, "--format", "json"), ({ code, err, out }) => {
      assert.deepStrictEqual([code, err], [0, ""])
      return JSON.parse(out)
    })
  return { servers, client: yield* Cluster.startClient(servers), audit, json }
})

const ensure = (client: SeamlessClient, { interval, node }: BarFile.BarFile, [from, to]: Range, name: string) =>
  Cluster.asking(() =>
    client.ensureAvailable(node, interval, from, to, {
      strategy: "auto_backfill",
      requestId: name,
      sla: { totalDeadlineMs: 20_000 }
    })
  )

/** Lines of a text, each by its cells. */
const linesOf = ({ out }: Run): ReadonlyArray<ReadonlyArray<string>> =>
  out.split("\n").map((line) => line.trim().split(/\s{2,}/))

const [morning, noon] = ["2022-12-13T00:00", "2022-12-13T03:00"]

describe("seamless audit", () => {
  it.live("tells what is covered since when and for whom, what nobody asked for, and what its source refused", () =>
    Effect.gen(function* () {
      const { audit, client, json } = yield* setUp
      const { interval, node } = fullDay
      const filled = yield* ensure(client, fullDay, [at("00:00"), at("02:00")], "first")
      assert.isTrue(filled.available)
      const told = yield* json(node, interval, "--from", morning, "--to", noon)
      const change = told.changes[0]!
      assert.deepInclude(change, {
        version: 1,
        versionBefore: 0,
        source: "binance",
        cause: "first",
        added: [[at("00:00"), at("02:00")]]
      })
      assert.deepStrictEqual(
        told.explanation?.parts.map(({ change, end, start, state }) => [start, end, state, change?.version]),
        [
          [at("00:00"), at("02:00"), "covered", 1],
          [at("02:00"), at("03:00"), "missing", undefined]
        ]
      )

      const table = yield* audit(node, interval, "--from", morning, "--to", noon)
      assert.deepStrictEqual([table.code, table.err], [0, ""])
      const [title, , head, covered, missing] = linesOf(table)
      assert.deepStrictEqual(title, [`${node} 1m, coverage version 1`])
      assert.deepStrictEqual(head, ["state", "start", "end", "bars", "because"])
      const since = `since version 1 of ${new Date(change.committedAt).toISOString()}: binance, for first, job ${change.jobs[0]}`
      assert.deepStrictEqual(covered, ["covered", "2022-12-13T00:00:00Z", "2022-12-13T02:00:00Z", "120", since])
      const nobody = "nobody has asked for it, as far as is on record"
      assert.deepStrictEqual(missing, ["missing", "2022-12-13T02:00:00Z", "2022-12-13T03:00:00Z", "60", nobody])

      const refused = yield* ensure(client, quiet, [at("00:00"), at("01:00")], "in vain")
      assert.isFalse(refused.available)
      const vain = yield* audit(quiet.node, quiet.interval, "--from", morning, "--to", "2022-12-13T01:00")
      assert.strictEqual(vain.code, 0)
      const [, , , failed] = linesOf(vain)
      assert.deepStrictEqual(failed?.slice(0, 4), ["failed", "2022-12-13T00:00:00Z", "2022-12-13T01:00:00Z", "60"])
      assert.match(
        failed?.[4] ?? "",
        /^job \d+\.\d+ failed .*: SourceUnavailable of binance: .*; asked for again from /
      )
      assert.include(vain.out, "no change has touched the range")

      const unknown = yield* audit("ohlcv:binance:NO/SUCH", "1m")
      assert.deepStrictEqual([unknown.code, unknown.out], [4, ""])
      assert.match(
        unknown.err,
        /^UnknownSeries: there is no series ohlcv:binance:NO\/SUCH 1m; known: ohlcv:binance:BTC/
      )
    })
  )

  it.live("replays a history to just what is covered, pages through it, and finds what does not belong there", () =>
    Effect.gen(function* () {
      const { audit, client, json, servers } = yield* setUp
      const { interval, node } = fullDay
      const nc = yield* Cluster.startConnection(servers)
      for (let hour = 0; hour < 6; hour++) {
        const from = at("00:00") + hour * 7_200_000
        yield* ensure(client, fullDay, [from, from + 3_600_000], `hour ${hour}`)
      }
      const root = (yield* StoredRoots.standing(nc, fullDay))!
      assert.strictEqual(RangeMeasure.size(root.covered), 6)
      const { verdict, version } = yield* json(node, interval, "--verify")
      assert.deepStrictEqual(verdict, { holds: true, entries: root.version, firstBreak: null })
      assert.strictEqual(version, root.version)
      const held = yield* audit(node, interval, "--verify", "--limit", "2")
      assert.deepStrictEqual([held.code, held.err], [0, ""])
      const lines = held.out.trimEnd().split("\n")
      assert.deepStrictEqual(lines.slice(-3), [
        `older changes: --before ${version - 1}`,
        "",
        `the history holds: ${version} changes from the first add up to just what is covered`
      ])

      const pages: Array<number> = []
      let before: number | null = null
      do {
        const { changes, olderBefore }: Audit = yield* json(
          node,
          interval,
          "--limit",
          "4",
          ...(before === null ? [] : ["--before", String(before)])
        )
        pages.unshift(...changes.map((each) => each.version))
        before = olderBefore
      } while (before !== null)
      yield* untilTrue(
        "the audit stream has the root that stands",
        Effect.map(StoredRoots.audited(nc, fullDay), (roots) => roots.length === root.version)
      )
      assert.deepStrictEqual(
        pages,
        (yield* StoredRoots.audited(nc, fullDay)).map((each) => each.version)
      )

      // somebody writes where only the owner may
      yield* Effect.promise(() => nc.request(Subject.audit(Subject.series(node, interval)), "{}"))
      const torn = yield* audit(node, interval, "--verify")
      assert.strictEqual(torn.code, 3)
      assert.match(torn.err, /1 entry can't be read: --verify tells the first\n/)
      assert.match(
        torn.err,
        /the history does not hold at version \d+ \(message \d+ of the stream seamless-audit\), after/
      )
      const inJson = yield* audit(node, interval, "--verify", "--format", "json")
      assert.strictEqual(inJson.code, 3)
      assert.strictEqual(JSON.parse(inJson.out).verdict.firstBreak.kind, "unreadable")
      assert.lengthOf(JSON.parse(inJson.err).notes, 2)
    })
  )
})
