import { Effect, Layer } from "effect"
import * as EmbeddedServer from "../runtime/nats/EmbeddedServer.ts"
import * as Member from "../cluster/Member.ts"
import { Saved, Fleeting } from "../test/support/members/testActors.ts"
import { mkdtempSync } from "node:fs"
import * as ReadyProcess from "../test/support/ReadyProcess.ts"
import { ActorSystem } from "../runtime/ActorSystem.ts"
const main = Effect.gen(function* () {
  const { url } = yield* EmbeddedServer.start({ dataDir: mkdtempSync("/tmp/smoke-"), binary: "/work/main/.bin/nats-server" })
  const member = (id: string) => ReadyProcess.start({ program: "/work/main/test/support/members/member.ts", args: ["--nats", url, "--host-id", id], logFile: `/tmp/smoke-${id}.log` })
  const t0 = performance.now()
  const ms = yield* Effect.all(["a","b","c"].map(member), { concurrency: 3 })
  console.log("up", performance.now() - t0)
  const ctx = yield* Layer.build(Member.callerLayer({ servers: url }))
  yield* Effect.gen(function* () {
    const t1 = performance.now()
    const r = yield* Effect.forEach(Array.from({ length: 1000 }, (_, i) => i), (i) => Saved.ref(`k${i}`).ask("add", { by: 1 }), { concurrency: 64 })
    console.log("first 1000", performance.now() - t1, r[0])
    const t2 = performance.now()
    yield* Effect.forEach(Array.from({ length: 10000 }, (_, i) => i), (i) => Saved.ref(`k${i % 1000}`).ask("add", { by: 1 }), { concurrency: 256, discard: true })
    console.log("10000 saved", performance.now() - t2)
    const t3 = performance.now()
    yield* Effect.forEach(Array.from({ length: 30000 }, (_, i) => i), (i) => Fleeting.ref(`k${i % 100}`).ask("add", { by: 1 }), { concurrency: 256, discard: true })
    console.log("30000 volatile", performance.now() - t3)
    yield* ms[0]!.kill
    const k = performance.now()
    const lat = yield* Effect.forEach(Array.from({ length: 1000 }, (_, i) => i), (i) => Effect.map(Saved.ref(`k${i}`).ask("add", { by: 1 }), () => performance.now() - k), { concurrency: "unbounded" })
    lat.sort((x, y) => x - y)
    console.log("after kill p50", lat[500], "p99", lat[990], "max", lat[999])
    for (const m of ms.slice(1)) yield* m.send("report\n")
    yield* Effect.sleep(200)
    console.log(ms[1]!.lines().at(-1)); console.log(JSON.stringify((yield* ActorSystem).tally()))
    const t5 = performance.now()
    yield* ms[1]!.stop
    console.log("stop", performance.now() - t5, ms[1]!.lines().at(-1))
  }).pipe(Effect.provide(ctx))
}).pipe(Effect.scoped)
Effect.runPromise(main).then(() => process.exit(0), (e) => { console.error(e); process.exit(1) })
