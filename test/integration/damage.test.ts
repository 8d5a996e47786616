/** Is what can't be read told, to everyone who asks, and never taken for nothing or asked for again for ever? */
import { jetstream, jetstreamManager } from "@nats-io/jetstream"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Stream from "../../protocol/wire/Stream.ts"
import { keySubject } from "../../protocol/wire/StreamSpec.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import * as BarFile from "../support/BarFile.ts"
import * as Cluster from "../support/ClusterHarness.ts"

const file = BarFile.barFiles.fullDay
const { interval, node } = file
const [from] = BarFile.read(file).range
const minuteMs = 60_000
const options = { strategy: "auto_backfill", sla: { totalDeadlineMs: 20_000 } } as const

describe("a root that can't be read", () => {
  it.live("is told as damage, and not taken for a series of which nothing is known", () =>
    Effect.gen(function* () {
      const { client, klines, servers } = yield* Cluster.start({ files: [file] })
      const nc = yield* Cluster.startConnection(servers)
      const subject = keySubject(Stream.coverage, Subject.series(node, interval))
      yield* Effect.promise(() => jetstream(nc).publish(subject, JSON.stringify({ format: 2 })))
      const coverage = yield* Effect.flip(Cluster.asking(() => client.coverage(node, interval)))
      assert.strictEqual(coverage.tag, "StoreDamaged")
      const read = yield* Effect.flip(Cluster.readFile(client, file, [from, from + minuteMs], options))
      assert.strictEqual(read.tag, "StoreDamaged")
      assert.deepStrictEqual(klines(), [])
    })
  )
})

describe("a chunk that is gone", () => {
  it.live("is told to those who read it, and to those who wait for rows beside it", () =>
    Effect.gen(function* () {
      const cluster = yield* Cluster.make({ files: [file] })
      const first = yield* cluster.startHost("a")
      const before = yield* Cluster.startClient(first.servers)
      yield* Cluster.readFile(before, file, [from, from + 10 * minuteMs], options)
      yield* first.stop
      const nc = yield* Cluster.startConnection(first.servers)
      const manager = yield* Effect.promise(() => jetstreamManager(nc))
      yield* Effect.promise(() => manager.streams.purge(Stream.chunks.name))
      // another host has nothing in memory
      const second = yield* cluster.startHost("b")
      const client = yield* Cluster.startClient(second.servers)
      const damaged = [from, from + 10 * minuteMs] as const
      const known = yield* Cluster.readFile(client, file, damaged, options)
      assert.strictEqual(known.df.length, 0)
      assert.strictEqual(known.meta.sourceOutcomes["storage"]?.error?.tag, "StoreDamaged")
      assert.match(known.meta.missingRanges[0]!.reason, /^stored, but not read: .* is named but not there/)
      const demanding = { ...options, sla: { ...options.sla, onViolation: "error" } } as const
      const refused = yield* Effect.flip(Cluster.readFile(client, file, damaged, demanding))
      assert.strictEqual(refused.tag, "StoreDamaged")
      const asked = cluster.klines().length
      const range = [from + 10 * minuteMs, from + 20 * minuteMs] as const
      const beside = yield* Cluster.readFile(client, file, range, options)
      assert.strictEqual(beside.df.length, 0)
      assert.match(beside.meta.missingRanges[0]!.reason, /is named but not there/)
      // once, and once more for the one retry: not every few seconds
      assert.isAtMost(cluster.klines().length - asked, 2)
    })
  )
})
