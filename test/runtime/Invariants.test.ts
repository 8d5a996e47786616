/** Is everything counted and told that does not hold, and does nobody notice who runs into it? */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { Effect, Metric } from "effect"
import { Metrics, MetricLabel } from "../../protocol/Telemetry.ts"
import { type Invariant, invariants } from "../../protocol/wire/Invariant.ts"
import * as Invariants from "../../runtime/Invariants.ts"
import { keepLogged, violatedBy, violationsOf } from "../support/violations.ts"

const details = () => ({ key: "a" })

const unasked = () => {
  assert.fail("nobody needs the details of what holds")
}

/** A count of its own, and the log. */
const withOwn = <A, E, R>(run: (own: Invariants.Violations) => Effect.Effect<A, E, R>) => {
  const own = Invariants.make()
  const { layer, lines } = keepLogged()
  return Effect.map(run(own).pipe(Effect.provideService(Invariants.Invariants, own), Effect.provide(layer)), () => ({
    own,
    lines
  }))
}

describe("check()", () => {
  it.effect("check() of what holds does nothing, and asks for no details", () =>
    Effect.gen(function* () {
      const { lines, own } = yield* withOwn(() => Invariants.check("endedOnce", true, unasked))
      assert.deepStrictEqual(own.counts(), {})
      assert.lengthOf(lines, 0)
    })
  )

  it.effect("check() counts each, logs the first three with their details, and goes on", () =>
    Effect.gen(function* () {
      let isDone = false
      const { lines, own } = yield* withOwn(() =>
        Effect.gen(function* () {
          for (let index = 0; index < 5; index++) yield* Invariants.check("endedOnce", false, details)
          yield* Invariants.check("firedOnce", false, details)
          isDone = true
        })
      )
      assert.isTrue(isDone)
      assert.deepStrictEqual(own.counts(), { endedOnce: 5, firedOnce: 1 })
      const { claim } = invariants.endedOnce
      assert.deepStrictEqual(
        lines.map(([level, , told]) => [level, told]),
        [
          ["Error", { invariant: "endedOnce", claim, count: 1, key: "a" }],
          ["Error", { invariant: "endedOnce", claim, count: 2, key: "a" }],
          ["Error", { invariant: "endedOnce", claim, count: 3, key: "a", more: "further ones are only counted" }],
          ["Error", { invariant: "firedOnce", claim: invariants.firedOnce.claim, count: 1, key: "a" }]
        ]
      )
    })
  )

  it.effect("check() tells who listens, until they don't any more", () =>
    Effect.gen(function* () {
      const heard: Array<Invariants.Violation> = []
      yield* withOwn((own) =>
        Effect.gen(function* () {
          const stop = own.listen((violation) => void heard.push(violation))
          for (let index = 0; index < 4; index++) yield* Invariants.check("endedOnce", false, details)
          stop()
          yield* Invariants.check("endedOnce", false, details)
        })
      )
      assert.deepStrictEqual(
        heard.map(({ count, details: told }) => [count, told]),
        [
          [1, details()],
          [2, details()],
          [3, details()],
          [4, {}]
        ]
      )
    })
  )

  it.effect("check() goes on where its details or a listener break", () =>
    Effect.gen(function* () {
      const breaks = () => {
        throw new Error("fire")
      }
      const { lines, own } = yield* withOwn((own) => {
        own.listen(breaks)
        return Invariants.check("endedOnce", false, breaks)
      })
      assert.deepStrictEqual(own.counts(), { endedOnce: 1 })
      assert.deepInclude(lines[0]?.[2], { problem: "Error: fire" })
    })
  )

  it.effect("check() counts in a metric, with the invariant as its label", () =>
    Effect.gen(function* () {
      yield* withOwn(() => Effect.andThen(violate("endedOnce"), violate("firedOnce").pipe(Effect.repeat({ times: 1 }))))
      const counts = (yield* Metric.snapshot).flatMap((found) =>
        found.id === Metrics.invariantViolations && found.type === "Counter"
          ? [[found.attributes?.[MetricLabel.invariant], Number(found.state.count)]]
          : []
      )
      assert.sameDeepMembers(counts, [
        ["endedOnce", 1],
        ["firedOnce", 2]
      ])
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))
  )

  it.effect("check() without a count of one's own counts for the process, and leaves other counts alone", () =>
    Effect.gen(function* () {
      const process = yield* Invariants.Invariants
      const before = process.counts()
      assert.deepStrictEqual(yield* violatedBy(violate("endedOnce")), ["endedOnce"])
      assert.deepStrictEqual(process.counts(), before)
      assert.strictEqual(yield* Invariants.Invariants, process)
    })
  )
})

const violate = (invariant: Invariant) => Invariants.check(invariant, false, details)

describe("noting", () => {
  it.effect("noting gives what counts for who asked for it, from plain code", () =>
    Effect.gen(function* () {
      const seen = yield* violationsOf(
        Effect.gen(function* () {
          const note = yield* Invariants.noting
          note("endedOnce", true, unasked)
          note("endedOnce", false, details)
        })
      )
      assert.deepStrictEqual(seen, [{ invariant: "endedOnce", count: 1, details: details() }])
    })
  )
})

describe("invariants", () => {
  it("PROTOCOL.md says of each what it claims", () => {
    const page = readFileSync(new URL("../../docs/PROTOCOL.md", import.meta.url), "utf8").replaceAll(/\s+/g, " ")
    for (const [name, { claim }] of Object.entries(invariants)) {
      const said = name === "storageKept" ? `\`${name}\` (${claim};` : `\`${name}\` (${claim})`
      assert.include(page, said)
    }
  })
})
