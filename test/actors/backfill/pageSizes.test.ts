/** Is what is stored of a stretch the same, however many bars a source gives on a page? */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fc from "fast-check"
import type { Step } from "../../../actors/backfill/AutoBackfiller.ts"
import { pagedBackfiller } from "../../../actors/backfill/pagedBackfiller.ts"
import { mergeFrames } from "../../../actors/conformance/mergeFrames.ts"
import { makeMemory } from "../../../actors/sources/memorySource.ts"
import * as SeriesCatalog from "../../../actors/sources/SeriesCatalog.ts"
import { contentHash } from "../../../protocol/frame/contentHash.ts"
import { type Field, ohlcv } from "../../../protocol/frame/DataSchema.ts"
import * as Findings from "../../../protocol/history/Findings.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { quietBars } from "../../support/candles.ts"

const minuteMs = 60_000
const bars = 60

const [open, ...others] = ohlcv.fields
const typed: ReadonlyArray<Field> = [
  { name: "trades", type: "int64", required: false, default: 0, onLoss: "missing" },
  { name: "mood", type: "category", required: false }
]

const { find } = SeriesCatalog.make({
  sources: {},
  schemas: { typed: { fields: [open!, ...others, ...typed], rules: { quality: [{ rule: "barCount", bars: 10 }] } } },
  series: [{ node: "a", intervals: ["1m"], sources: ["files"], symbol: "A", schema: "typed" }]
})

/** Which minutes have a bar: the first and the last do, so that every absence lies between two. */
const minutes = fc.subarray(Array.from({ length: bars - 2 }, (_, at) => at + 1)).map((inner) => [0, ...inner, bars - 1])

/** Values as a file may have them, by minute. */
const trades = fc.array(fc.constantFrom(1, 2.5, null, "7", "9007199254740993"), { minLength: bars, maxLength: bars })
const moods = fc.array(fc.constantFrom("calm", "wild", "", "007", null), { minLength: bars, maxLength: bars })
const odd = fc.dictionary(fc.nat(bars - 1).map(String), fc.constantFrom({ volume: -1 }, { close: 150 }, { close: 0 }), {
  maxKeys: 4
})

type Drawn = readonly [
  minutes: ReadonlyArray<number>,
  trades: ReadonlyArray<number | string | null>,
  moods: ReadonlyArray<string | null>,
  odd: Readonly<Record<string, object>>
]

const rowsOf = ([at, trades, moods, odd]: Drawn) => {
  const { columns } = quietBars(bars, odd)
  return {
    eventTime: at.map((minute) => minute * minuteMs),
    columns: [
      ...columns.map(({ name, values }) => ({ name, values: at.map((minute) => Number(values[minute])) })),
      { name: "trades", values: at.map((minute) => trades[minute] ?? null) },
      { name: "mood", values: at.map((minute) => moods[minute] ?? null) }
    ]
  }
}

/** All that a refill hands over, page by page of that many bars. */
const refilled = Effect.fnUntraced(function* (drawn: Drawn, barsPerRequest: number) {
  const source = makeMemory({
    name: "files",
    capabilities: { barsPerRequest, maxEmptyBars: 8, finalityDelayMs: 0, attemptsMax: 1 },
    bars: new Map([["A", rowsOf(drawn)]])
  })
  const steps: Array<Step> = []
  const refill = {
    entry: yield* find("a", "1m"),
    stretch: [0, bars * minuteMs] as const,
    known: Effect.succeed({ covered: RangeSet.empty, shut: RangeSet.empty, finalUntil: Infinity }),
    gate: { enter: Effect.succeed({ end: () => Effect.void }) },
    work: { jobClass: "bulk", cause: "" } as const,
    onRequest: () => undefined
  }
  yield* pagedBackfiller(source).refill(refill, (step) => Effect.sync(() => steps.push(step)))
  const { reversal: _, ...told } = Findings.unionAll(steps.map(({ findings }) => findings ?? Findings.none))
  return {
    contentHash: contentHash(mergeFrames(steps.map(({ rows }) => rows))),
    proven: RangeSet.unionAll(steps.map(({ proven }) => proven)),
    // a spike is seen when it is over: of bars that were handed over before nothing is told
    told
  }
})

it.effect("pagedBackfiller() hands over the same rows, proofs and findings, whatever the size of pages", () =>
  Effect.gen(function* () {
    for (const drawn of fc.sample(fc.tuple(minutes, trades, moods, odd), { numRuns: 60, seed: 7 })) {
      const whole = yield* refilled(drawn, 1000)
      for (const size of [1, 2, 7, 10, 33]) assert.deepStrictEqual(yield* refilled(drawn, size), whole)
    }
  })
)
