/** Is a read that waits for nothing the same as one that goes its whole way? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Result } from "effect"
import * as fc from "fast-check"
import { read } from "../../../actors/provider/read.ts"
import type { ValidRequest } from "../../../actors/provider/validRequest.ts"
import * as ChunkStore from "../../../actors/sources/ChunkStore.ts"
import type { RefusedMeta } from "../../../protocol/history/HistoryResult.ts"
import * as Findings from "../../../protocol/history/Findings.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { entry, minute, requestOf } from "../../support/requests.ts"
import { conformed, flatBars } from "../../support/rows.ts"
import { servicesOf, store, type StoredChunk } from "../../support/storedHistory.ts"

const windowBars = 10
const bars = 40

/** What one source has of the minutes from one to another: rows at some of them, the others are known to be empty. */
const chunkOf = (source: string, [start, end]: readonly [number, number], minutes: ReadonlyArray<number>) => {
  const windowStart = Math.floor(start / windowBars) * windowBars * minute
  const rows = minutes.filter((each) => each >= start && each < end)
  const prices = rows.map((each) => (source === "kraken" ? 1000 : 1) + each)
  const chunk: StoredChunk = {
    windowStart,
    source,
    ranges: RangeSet.of(start * minute, end * minute),
    frame: conformed(flatBars(rows, prices), { source, ingestAtMs: windowStart }).frame,
    findings: Findings.none
  }
  return chunk
}

/** All of it is covered: each window by its first source up to some bar, and by the second one from there. */
const histories = fc
  .record({
    cuts: fc.array(fc.nat(windowBars), { minLength: bars / windowBars, maxLength: bars / windowBars }),
    minutes: fc.uniqueArray(fc.nat(bars - 1), { maxLength: bars }).map((each) => each.toSorted((a, b) => a - b))
  })
  .map(({ cuts, minutes }) =>
    cuts.flatMap((cut, window) => {
      const from = window * windowBars
      const parts = [
        ["binance", from, from + cut],
        ["kraken", from + cut, from + windowBars]
      ] as const
      return parts.flatMap(([source, start, end]) => (start < end ? [chunkOf(source, [start, end], minutes)] : []))
    })
  )

const requests: fc.Arbitrary<Partial<ValidRequest>> = fc.record({
  // the last bars are beyond what is covered: who fails fast asks nobody for them
  range: fc
    .tuple(fc.nat(bars - 1), fc.integer({ min: 1, max: bars + 3 }))
    .map(([start, length]): readonly [number, number] => [start * minute, Math.min(bars + 3, start + length) * minute]),
  strategy: fc.constant("fail_fast"),
  fill: fc.constantFrom("none", "forward"),
  strict: fc.boolean(),
  onStrictViolation: fc.constantFrom("error", "flag"),
  sources: fc.shuffledSubarray(["binance", "kraken"], { minLength: 2 }),
  consistency: fc.constant("eventual")
})

/** All but what no two answers share. */
const timeless = ({ slaReport, spanId: _span, traceId: _trace, ...meta }: RefusedMeta) => ({
  ...meta,
  phases: Object.keys(slaReport.phases),
  violation: slaReport.violation
})

const answer = (request: ValidRequest) =>
  Effect.map(
    Effect.result(read(request)),
    Result.match({
      onFailure: (failure) =>
        failure._tag === "Refused"
          ? { tag: failure.error._tag, meta: timeless(failure.result.meta), df: failure.result.df }
          : { tag: failure._tag },
      onSuccess: ({ df, meta }) => ({ tag: "answer", meta: timeless(meta), df })
    })
  )

describe("findCovered()", () => {
  it.live("what is known and in memory is answered like what has to be looked up, to the last bit", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(histories, requests, (chunks, changes) => {
          const request = requestOf(changes)
          const stores = ChunkStore.layer(1024 * 1024).pipe(Layer.provide(Layer.fresh(MemoryMesh.layer)))
          return Effect.gen(function* () {
            const view = yield* store(entry, windowBars, chunks)
            const lookedUp = answer(request).pipe(Effect.provide(servicesOf(view)))
            const known = answer(request).pipe(Effect.provide(servicesOf(view, true)))
            // nothing is in memory yet, and each read leaves it there
            const [cold, warm, atHand] = [yield* known, yield* lookedUp, yield* known]
            assert.deepStrictEqual(atHand, warm)
            assert.deepStrictEqual(cold.df, warm.df)
          }).pipe(Effect.provide(stores), Effect.runPromise)
        }),
        { numRuns: 60 }
      )
    )
  )
})
