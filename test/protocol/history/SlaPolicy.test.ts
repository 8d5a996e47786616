/** Does the more specific layer win, field by field, and does a deadline alone bound the waits below it? */
import { Schema } from "effect"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { defaults, resolve, SlaPolicy } from "../../../protocol/history/SlaPolicy.ts"
import { Strategy } from "../../../protocol/history/Strategy.ts"
import { law } from "../../support/law.ts"

const ms = fc.integer({ min: 0, max: 10_000 })

const quietLayer = fc.record(
  {
    maxWaitStorageMs: ms,
    maxWaitBackfillMs: ms,
    maxWaitLiveMs: ms,
    maxSyncGapBars: ms,
    minCoverage: fc.double({ min: 0, max: 1, noNaN: true }),
    onViolation: fc.constantFrom("error" as const, "partial" as const)
  },
  { requiredKeys: [] }
)

const layer: fc.Arbitrary<SlaPolicy> = fc.oneof(
  quietLayer,
  fc.tuple(quietLayer, ms).map(([policy, totalDeadlineMs]) => ({ ...policy, totalDeadlineMs }))
)

const strategy = fc.constantFrom(...Strategy.literals)

const refused = (policy: unknown): boolean => !Schema.is(SlaPolicy)(policy)

describe("SlaPolicy", () => {
  law("resolve() takes everything that the most specific layer says", [strategy, layer, layer], (strategy, a, b) =>
    expect(resolve(strategy, a, b)).toMatchObject(b)
  )
  law(
    "resolve() leaves to the layer below what a layer without a deadline does not say",
    [strategy, layer, quietLayer],
    (strategy, below, above) =>
      expect(resolve(strategy, below, above)).toEqual({ ...resolve(strategy, below), ...above })
  )
  law("resolve() skips layers that are absent", [strategy, layer], (strategy, layer) =>
    expect(resolve(strategy, undefined, layer, undefined)).toEqual(resolve(strategy, layer))
  )
  law(
    "resolve() drops the waits below a layer that says only when the answer has to leave",
    [strategy, layer, ms],
    (strategy, below, totalDeadlineMs) => {
      const policy = resolve(strategy, below, { totalDeadlineMs })
      expect([policy.maxWaitStorageMs, policy.maxWaitBackfillMs, policy.maxWaitLiveMs]).toEqual(
        Array(3).fill(undefined)
      )
      expect(policy.maxSyncGapBars).toBe(resolve(strategy, below).maxSyncGapBars)
    }
  )
  law(
    "resolve() without layers gives the defaults, and a repeated layer says nothing new",
    [strategy, layer],
    (strategy, layer) => {
      expect(resolve(strategy)).toEqual(defaults[strategy])
      expect(resolve(strategy, layer, layer)).toEqual(resolve(strategy, layer))
    }
  )
  it.each(Strategy.literals)("the defaults of %s are a policy, with a deadline not before its waits", (strategy) => {
    const policy = defaults[strategy]
    expect(refused(policy)).toBe(false)
    const waits = [policy.maxWaitStorageMs, policy.maxWaitBackfillMs, policy.maxWaitLiveMs]
    expect(waits.every((wait = 0) => wait <= (policy.totalDeadlineMs ?? 0))).toBe(true)
  })
  it.each([
    { totalDeadlineMs: -1 },
    { totalDeadlineMs: Infinity },
    { totalDeadlineMs: "2000" },
    { minCoverage: 1.1 },
    { minCoverage: Number.NaN },
    { onViolation: "throw" }
  ])("a policy is not %j", (policy) => expect(refused(policy)).toBe(true))
})
