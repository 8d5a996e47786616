/** What becomes of a window whose rows are refused for good, since it has changed since they were asked for? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import * as LeaseBook from "../../../actors/backfill/LeaseBook.ts"
import type { DataSource } from "../../../actors/sources/DataSource.ts"
import { makeMemory } from "../../../actors/sources/memorySource.ts"
import type { JobEvent } from "../../../protocol/messages/Backfill.ts"
import * as Codec from "../../../protocol/wire/Codec.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { Mesh } from "../../../runtime/Mesh.ts"
import * as memoryHost from "../../support/memoryHost.ts"
import { flatBars } from "../../support/rows.ts"
import { untilTrue } from "../../support/untilTrue.ts"

const series = { nodeId: "a", interval: "1m" }
const minuteMs = 60_000
const minutes = Array.from({ length: 20 }, (_, minute) => minute)
const capabilities = { barsPerRequest: 100, maxEmptyBars: 5, finalityDelayMs: 0, attemptsMax: 1 }

/** A source during whose first answer an operator says that the time does not count. */
const disturbed = Effect.gen(function* () {
  const mesh = yield* Mesh
  const made = makeMemory({ name: "binance", capabilities, bars: new Map([["A", flatBars(minutes)]]) })
  let pages = 0
  const doubt = memoryHost
    .askAdmin("invalidate", { ...series, start: 0, end: 20 * minuteMs, reason: "in doubt" })
    .pipe(Effect.provideService(Mesh, mesh), Effect.orDie)
  const source: DataSource = {
    ...made,
    page: (request) => Effect.tap(made.page(request), () => (pages++ === 0 ? doubt : Effect.void))
  }
  return { source, pages: () => pages }
})

describe("a commit that is refused for good", () => {
  it.live("gives the lease back at once: the next claim need not wait for its end, and brings the bars", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const { pages, source } = yield* disturbed
      const events: Array<JobEvent> = []
      const key = Subject.window(Subject.series("a", "1m"), 0)
      yield* mesh.subscribe(Subject.jobEvent("*", key), ({ data }) => {
        events.push(Option.getOrThrow(Codec.fromJson(data)) as JobEvent)
      })
      yield* memoryHost.start({
        configuration: {
          sources: { binance: { kind: "exchange", exchange: "binance" } },
          series: [{ node: "a", intervals: ["1m"], sources: ["binance"], symbol: "A", windowBars: 20 }],
          retry: { baseMs: 10 }
        },
        sources: [source]
      })
      const body = { ...series, start: 0, end: 20 * minuteMs, strategy: "auto_backfill" }
      const reply = yield* mesh.request(Subject.service.read, Codec.toJson(body), { timeoutMs: 10_000 })
      const answer = JSON.parse(new TextDecoder().decode(reply.data))
      assert.lengthOf(answer.columns.event_time, 20, JSON.stringify(answer.meta))
      assert.strictEqual(pages(), 2)
      yield* untilTrue(
        "all is told",
        Effect.sync(() => events.some(({ event }) => event === "completed"))
      )
      const told = events.filter(({ event }) => ["claimed", "failed", "retried", "completed"].includes(event))
      assert.deepStrictEqual(
        told.map(({ event, run }) => `${event} ${run}`),
        ["claimed 1", "failed 1", "retried 2", "claimed 2", "completed 2"]
      )
      const [claimed, failed, , again] = told
      assert.strictEqual(failed?.failure?.tag, "StaleCommit")
      // nothing was the source's fault
      assert.strictEqual(failed?.attempts, 0)
      assert.isBelow(again!.at - claimed!.at, LeaseBook.leaseMs)
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )
})
