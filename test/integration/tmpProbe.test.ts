/** probe */
import { it } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { toPairs } from "../../protocol/history/RangePairs.ts"
import * as BarFile from "../support/BarFile.ts"
import * as Cluster from "../support/ClusterHarness.ts"
import * as StoredRoots from "../support/StoredRoots.ts"
const file = BarFile.barFiles.quiet
const rec = BarFile.read(file)
const patient = { strategy: "auto_backfill", sla: { totalDeadlineMs: 30_000 } } as const

import process from "node:process"
for (const deadline of [400, 700, 1000, 1500, 2000, 2500, 3000])
  it.live("slow " + deadline, () =>
    Effect.gen(function* () {
      const { client, klines } = yield* Cluster.start({ files: [file], exchange: { latencyMs: 250 } }, ["a"])
      yield* Cluster.readFile(client, file, [rec.range[0], rec.range[0] + 60_000], patient)
      const at = performance.now()
      const r = yield* Effect.result(
        Cluster.readFile(client, file, rec.range, { strategy: "auto_backfill", sla: { totalDeadlineMs: deadline } })
      )
      process.stdout.write(
        `deadline ${deadline}: ${Math.round(performance.now() - at)} ms ${r._tag} ${r._tag === "Success" ? [r.success.df.length, r.success.meta.coverageVersion, JSON.stringify(r.success.meta.slaReport), r.success.meta.notes] : [r.failure.tag, r.failure.message]} ${klines().length}\n`
      )
      const at2 = performance.now()
      const e = yield* Effect.result(
        Cluster.asking(() =>
          client.ensureAvailable(file.node, file.interval, ...rec.range, { sla: { totalDeadlineMs: 300 } })
        )
      )
      process.stdout.write(
        `  ensure 300: ${Math.round(performance.now() - at2)} ms ${e._tag} ${e._tag === "Success" ? [e.success.available, JSON.stringify(e.success.slaReport)] : [e.failure.tag, e.failure.message]} ${klines().length}\n`
      )
    })
  )
