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

import { Effect as E } from "effect"
for (const n of [8, 12, 14]) it.live("kill " + n, () => Effect.gen(function* () {
  const { client, klines, servers, hosts } = yield* Cluster.start({ files: [file], exchange: { latencyMs: 60 } }, ["a", "b"])
  const nc = yield* Cluster.startConnection(servers)
  const c2 = yield* Cluster.startClient(servers)
  yield* E.forkScoped(E.ignore(Cluster.readFile(c2, file, rec.range, patient)))
  yield* E.sync(() => klines().length >= n).pipe(E.repeat({ until: (x) => x, schedule: Schedule.spaced("10 millis") }))
  const at = Date.now()
  const r = yield* StoredRoots.standing(nc, file)
  const took = Date.now() - at
  yield* hosts[1]!.kill
  const killed = Date.now()
  process.stdout.write(`at kill version ${r?.version} read took ${took}, kill took ${killed - at - took}\n`)
  yield* Cluster.readFile(client, file, rec.range, patient)
  const end = Date.now()
  const roots = yield* StoredRoots.audited(nc, file)
  const d = (t: number) => ((t - rec.range[0]) / 86400000).toFixed(2)
  const ev = [...klines().map((k) => [k.at - at, `req ${d(Number(k.startTime))}-${d(Number(k.endTime))} rows ${k.rows}`] as const), ...roots.map((r) => [r.committedAt - at, `commit ${r.version} ${JSON.stringify(toPairs(r.diff.added).map(([a,b])=>[d(a),d(b)]))}`] as const), [end - at, "answer"] as const]
  process.stdout.write(ev.toSorted((a, b) => a[0] - b[0]).map(([t, e]) => `${t} ${e}`).join("\n") + "\n\n")
}))
