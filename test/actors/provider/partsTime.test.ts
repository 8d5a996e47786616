/** What does an answer in parts say of its time, and does it keep it, where storage takes its own? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import * as ReadCursor from "../../../actors/provider/ReadCursor.ts"
import { readParts } from "../../../actors/provider/readParts.ts"
import { sendParts } from "../../../actors/provider/sendParts.ts"
import type { ValidRequest } from "../../../actors/provider/validRequest.ts"
import { ChunkStore } from "../../../actors/sources/ChunkStore.ts"
import * as Findings from "../../../protocol/history/Findings.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { checkTimes } from "../../support/checkAccount.ts"
import { entry, minute, requestOf } from "../../support/requests.ts"
import { conformed, flatBars } from "../../support/rows.ts"
import { servicesOf, store, stores } from "../../support/storedHistory.ts"

const windowBars = 10
const batch = { rows: windowBars, windows: 1 }

const windowOf = (window: number) => {
  const minutes = Array.from({ length: windowBars }, (_, bar) => window * windowBars + bar)
  return {
    windowStart: window * windowBars * minute,
    source: "binance",
    ranges: RangeSet.of(window * windowBars * minute, (window + 1) * windowBars * minute),
    frame: conformed(flatBars(minutes, minutes), { source: "binance", ingestAtMs: 0 }).frame,
    findings: Findings.none
  }
}

/** Three windows that are stored, of which each takes so long to be read. */
const slowly = <A, E, R>(tookMs: number, run: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const view = yield* store(entry, windowBars, [0, 1, 2].map(windowOf))
    const chunkStore = yield* ChunkStore
    const slow: ChunkStore["Service"] = {
      ...chunkStore,
      chunks: (...asked) => Effect.andThen(Effect.sleep(tookMs), chunkStore.chunks(...asked))
    }
    const services = Layer.merge(servicesOf(view), Layer.succeed(ChunkStore, slow))
    return yield* Effect.provide(run, services)
  }).pipe(Effect.provide(stores))

const requestFor = (bars: number, more: Partial<ValidRequest> = {}) =>
  requestOf({ range: [0, bars * minute], asOf: { version: 3 }, sla: { totalDeadlineMs: 300 }, ...more })

const tookMs = 60

describe("the account of an answer in parts", () => {
  it.live("counts the time in which its rows were read to the time of storage", () =>
    slowly(
      tookMs,
      Effect.gen(function* () {
        const flow = yield* readParts(requestFor(30), undefined, batch)
        while (Option.isSome(yield* flow.next));
        const { meta } = yield* flow.account
        const { phases, violation } = meta.slaReport
        // timers end up to a millisecond early
        assert.isAtLeast(phases["storage"]!.waitedMs, 3 * (tookMs - 1))
        assert.isFalse(phases["storage"]!.timedOut)
        assert.isNull(violation)
        checkTimes(meta)
      })
    )
  )

  it.live("has of a demand that was found unmet before the rows the time that the answer took", () =>
    slowly(
      tookMs,
      Effect.gen(function* () {
        const sla = { totalDeadlineMs: 300, minCoverage: 0.9 }
        const flow = yield* readParts(requestFor(60, { sla }), undefined, batch)
        while (Option.isSome(yield* flow.next));
        const { elapsedMs, violation } = (yield* flow.account).meta.slaReport
        assert.strictEqual(violation?.phase, "minCoverage")
        assert.isAtLeast(elapsedMs, 3 * (tookMs - 1))
        assert.strictEqual(violation?.waitedMs, elapsedMs)
      })
    )
  )
})

describe("an answer in parts that goes on", () => {
  it.live("reads the price that it carries on within the time of its first part", () =>
    Effect.gen(function* () {
      const filled = requestFor(30, { fill: "forward" })
      const cursor = yield* slowly(
        0,
        Effect.gen(function* () {
          const flow = yield* readParts(filled, undefined, batch)
          yield* flow.next
          return yield* ReadCursor.parse(filled, flow.cursorAt(flow.goneByMs()))
        })
      )
      assert.isDefined(cursor.tally?.priced, "a price is carried on")
      const startedMs = performance.now()
      const late = yield* slowly(
        10_000,
        Effect.gen(function* () {
          const { account, next, ...flow } = yield* readParts(filled, cursor, batch)
          const provide = Effect.provide(yield* Effect.context<Effect.Services<typeof account>>())
          return yield* Effect.flip(
            sendParts(
              { ...flow, returnMeta: false, account: provide(account), next: provide(next) },
              {
                credit: { subject: "flow", take: Effect.succeed(true) },
                encode: () => Effect.die("nothing is there to be sent"),
                send: () => undefined,
                bytesMax: 100_000
              }
            )
          )
        })
      )
      assert.strictEqual(late._tag, "DeadlineExceeded")
      assert.isBelow(performance.now() - startedMs, 5000)
    })
  )
})
