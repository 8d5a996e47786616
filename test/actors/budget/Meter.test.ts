/** Does a meter let through no more than is allowed in any minute, and as much as it can? */
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import * as Meter from "../../../actors/budget/Meter.ts"
import { law } from "../../support/law.ts"

interface Spent {
  readonly atMs: number
  readonly units: number
}

const minuteMs = 60_000
/** The longest that one request may take longer to its source than another, beside the time to use its permit. */
const lateMsMax = Meter.useWithinMs + 1000

const mostIn = (spent: ReadonlyArray<Spent>, lengthMs: number): number =>
  Math.max(
    0,
    ...spent.map(({ atMs: from }) =>
      spent.filter(({ atMs }) => from <= atMs && atMs < from + lengthMs).reduce((sum, { units }) => sum + units, 0)
    )
  )

const allowance = fc
  .record({ perMinute: fc.integer({ min: 1, max: 40 }), share: fc.double({ min: 0, max: 1, noNaN: true }) })
  .map(({ perMinute, share }) => ({ perMinute, burst: Math.max(1, Math.round(perMinute * share)) }))

/** When somebody wants so many units: after a while, again and again. */
const wishes = fc.array(
  fc.record({
    afterMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 70_000 })),
    units: fc.integer({ min: 1, max: 5 })
  }),
  { maxLength: 60 }
)

/** Spends what is wished for, where all of it is there: at once, or as soon as it is. */
const spendAll = (
  { burst, perMinute }: { readonly burst: number; readonly perMinute: number },
  wished: ReadonlyArray<{ readonly afterMs: number; readonly units: number }>,
  patient: boolean
): ReadonlyArray<Spent> => {
  let meter = Meter.make({ perMinute, burst }, 0)
  let nowMs = 0
  const spent: Array<Spent> = []
  for (const { afterMs, units: wanted } of wished) {
    const units = Math.min(wanted, burst)
    nowMs += afterMs
    const waitMs = Meter.waitMs(meter, units, nowMs)
    if (waitMs > 0 && !patient) continue
    nowMs += waitMs
    meter = Meter.spend(meter, units, nowMs)
    spent.push({ atMs: nowMs, units })
  }
  return spent
}

describe("Meter", () => {
  law(
    "no minute has more than is allowed, its burst included",
    [allowance, wishes, fc.boolean()],
    (given, wished, patient) => {
      assert.isAtMost(mostIn(spendAll(given, wished, patient), minuteMs), given.perMinute)
    }
  )

  law(
    "no minute at the source has more, however long each request takes on its way",
    [allowance, wishes, fc.array(fc.integer({ min: 0, max: lateMsMax }), { minLength: 1 })],
    (given, wished, late) => {
      const arrived = spendAll(given, wished, true).map(({ atMs, units }, index) => ({
        atMs: atMs + late[index % late.length]!,
        units
      }))
      assert.isAtMost(mostIn(arrived, minuteMs), given.perMinute)
    }
  )

  law(
    "a meter that somebody else went on with, empty, never gives more than one that nobody did",
    [allowance, wishes, fc.integer({ min: 0, max: 59 })],
    (given, wished, at) => {
      const before = spendAll(given, wished.slice(0, at), true)
      const fromMs = before.at(-1)?.atMs ?? 0
      const after = spendAll(given, wished.slice(at), true).map(({ atMs, units }) => ({ atMs: atMs + fromMs, units }))
      assert.isAtMost(mostIn([...before, ...after], minuteMs), given.perMinute)
    }
  )

  law("whoever always wants one gets all of the even flow", [allowance], ({ burst, perMinute }) => {
    const wished = Array.from({ length: 10 * perMinute }, () => ({ afterMs: 0, units: 1 }))
    const spent = spendAll({ burst, perMinute }, wished, true)
    // a minute counts for two seconds more, and what a burst may take is not in the flow
    const flow = (perMinute - burst + 1) / (minuteMs + lateMsMax)
    assert.closeTo(spent.at(-1)!.atMs, spent.length / flow, 1)
  })

  law("what was not spent is there at once later, up to the burst", [allowance], ({ burst, perMinute }) => {
    const meter = Meter.make({ burst, perMinute }, 0)
    assert.strictEqual(Meter.available(meter, 0), 0)
    assert.strictEqual(Meter.available(meter, 100 * minuteMs), burst)
    assert.strictEqual(Meter.waitMs(meter, burst, 100 * minuteMs), 0)
    assert.isAbove(Meter.waitMs(meter, burst + 1, 100 * minuteMs), 0)
  })

  law(
    "waitMs() is when so many have come, each spent at once",
    [allowance, fc.integer({ min: 1, max: 80 })],
    (given, count) => {
      const told = Meter.waitMs(Meter.make(given, 0), count, 0)
      const wished = Array.from({ length: count }, () => ({ afterMs: 0, units: 1 }))
      assert.closeTo(spendAll(given, wished, true).at(-1)!.atMs, told, 1e-3)
    }
  )

  it("a burst is no more than all of a minute", () => {
    assert.strictEqual(Meter.make({ perMinute: 5, burst: 50 }, 0).capacity, 5)
  })
})
