/** Is it known where a series begins only where all of its sources have said so? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import {
  beforeFirstBar,
  findFirstBar,
  type FirstBar,
  leadingAbsence,
  tradedTime,
  type SendTo
} from "../../../actors/backfill/findFirstBar.ts"
import { type DataSource, DataSources, RequestFailed } from "../../../actors/sources/DataSource.ts"
import * as Calendar from "../../../protocol/history/Calendar.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { entry, minute } from "../../support/requests.ts"

const failed = new RequestFailed({ reason: "busy", retryable: true, retryAfterMs: null })

type Told = Effect.Effect<Option.Option<number>, RequestFailed>

const sourceOf = (name: string, told: Told | undefined): DataSource => ({
  name,
  kind: "BACKFILL",
  capabilities: { barsPerRequest: 10, maxEmptyBars: 5, finalityDelayMs: 0, attemptsMax: 1 },
  page: () => Effect.die("nobody asks for bars here"),
  ...(told !== undefined && { firstBar: () => told })
})

const at = (minutes: number): Told => Effect.succeed(Option.some(minutes * minute))

/** What binance and kraken tell together, and which of them were asked. */
const find = Effect.fnUntraced(function* (binance: Told | undefined, kraken: Told | undefined) {
  const asked: Array<string> = []
  const sendTo: SendTo = (source) => (request) =>
    Effect.suspend(() => {
      asked.push(source.name)
      return request
    })
  const sources = new Map([
    ["binance", sourceOf("binance", binance)],
    ["kraken", sourceOf("kraken", kraken)]
  ])
  const first = yield* findFirstBar(entry, sendTo).pipe(Effect.provideService(DataSources, sources))
  return { first: Option.getOrUndefined(first), asked }
})

describe("findFirstBar()", () => {
  it.effect("is the earliest of what the sources tell, by one request to each", () =>
    Effect.gen(function* () {
      const { asked, first } = yield* find(at(20), at(10))
      assert.deepStrictEqual(first, { start: 10 * minute, source: "kraken" })
      assert.deepStrictEqual(asked, ["binance", "kraken"])
    })
  )

  it.effect.each([
    ["one fails", Effect.fail(failed), ["binance", "kraken"]],
    ["one has no bar", Effect.succeed(Option.none<number>()), ["binance", "kraken"]],
    ["one can't tell, and then nobody is asked", undefined, []]
  ] as const)("is not known where %s", ([, kraken, expected]) =>
    Effect.gen(function* () {
      const { asked, first } = yield* find(at(20), kraken)
      assert.isUndefined(first)
      assert.deepStrictEqual(asked, Array.from(expected))
    })
  )

  it.effect("is not known where a source of the series is not there", () =>
    Effect.gen(function* () {
      const sources = new Map([["binance", sourceOf("binance", at(20))]])
      const found = findFirstBar(entry, () => (request) => request)
      assert.isTrue(Option.isNone(yield* found.pipe(Effect.provideService(DataSources, sources))))
    })
  )
})

const minutes = (start: number, end: number) => RangeSet.of(start * minute, end * minute)

describe("leadingAbsence()", () => {
  it("is what lies before anything that is covered", () => {
    const unproven = RangeSet.union(minutes(0, 10), minutes(20, 30))
    assert.deepStrictEqual(leadingAbsence(unproven, RangeSet.empty), unproven)
    assert.deepStrictEqual(toPairs(leadingAbsence(unproven, minutes(15, 16))), toPairs(minutes(0, 10)))
    assert.deepStrictEqual(toPairs(leadingAbsence(unproven, minutes(-5, -4))), [])
  })
})

describe("tradedTime()", () => {
  it("tradedTime() leaves out what is closed: that is covered before there is any bar, too", () => {
    const calendar = Calendar.ofDays([0, 60 * minute], () => minutes(10, 20))
    const covered = RangeSet.union(minutes(0, 12), minutes(30, 40))
    assert.deepStrictEqual(toPairs(tradedTime({ ...entry, calendar }, covered)), toPairs(minutes(10, 12)))
    assert.deepStrictEqual(tradedTime(entry, covered), covered)
    assert.deepStrictEqual(tradedTime(entry, RangeSet.empty), RangeSet.empty)
  })
})

describe("beforeFirstBar()", () => {
  const first: FirstBar = { start: 50 * minute, source: "binance" }
  const before = (absence: RangeSet.RangeSet, covered = RangeSet.empty) =>
    beforeFirstBar(first, { covered, entry, absence })

  it("is all time from the epoch until then, with what says so, and no time to ask again", () => {
    assert.deepStrictEqual(before(minutes(20, 30)), [
      {
        start: 0,
        end: 50 * minute,
        state: "unavailable",
        reason: "before its first bar",
        retryAt: null,
        evidence: "binance's first bar of BTC/BUSD is at 1970-01-01T00:50:00Z"
      }
    ])
    assert.deepStrictEqual(before(minutes(-20, -10))[0]?.start, -20 * minute)
  })

  it("is nothing where the absence is behind the first bar", () => {
    assert.deepStrictEqual(before(minutes(50, 60)), [])
  })

  it("is nothing where bars that are stored contradict the source", () => {
    assert.deepStrictEqual(before(minutes(20, 30), minutes(40, 41)), [])
    assert.lengthOf(before(minutes(20, 30), minutes(50, 51)), 1)
  })
})
