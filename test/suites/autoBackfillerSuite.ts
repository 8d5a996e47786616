/**
 * What must whoever refills a node hold, in whatever way it does so?
 *
 * A backfiller is done when these claims pass on it, with the bars that it is known to have.
 */
import { assert, layer } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, Option, type Scope } from "effect"
import { type AutoBackfiller, type Known, NoAnswer, type Step } from "../../actors/backfill/AutoBackfiller.ts"
import { RequestFailed } from "../../actors/sources/DataSource.ts"
import type { WayOut } from "../../actors/sources/Gate.ts"
import * as SeriesCatalog from "../../actors/sources/SeriesCatalog.ts"
import * as Frame from "../../protocol/frame/Frame.ts"
import type { Interval } from "../../protocol/history/Interval.ts"
import type { Range } from "../../protocol/history/Range.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"

/** A backfiller, and what it can bring. */
export interface AutoBackfillerClaims<E> {
  readonly name: string
  readonly make: Effect.Effect<AutoBackfiller, E, Scope.Scope>
  /** A symbol that it knows. */
  readonly symbol: string
  readonly interval: Interval
  /** The event times of all its bars, ascending, in epoch milliseconds: enough of them for several steps. */
  readonly times: ReadonlyArray<number>
}

class Backfiller extends Context.Service<Backfiller, AutoBackfiller>()(
  "seamless/test/autoBackfillerSuite/Backfiller"
) {}

// Nobody lists it.
const unknownSymbol = "SEAMLESS0/SEAMLESS1"

/** What came of a refill. */
interface Refilled {
  readonly steps: ReadonlyArray<Step>
  readonly rows: Frame.Frame
  readonly proven: RangeSet.RangeSet
  readonly answered: RangeSet.RangeSet
  /** Requests that it said it sent, and that entered the gate. */
  readonly requests: number
  readonly entered: number
}

const openWay = (count: () => void): WayOut => ({
  enter: Effect.sync(() => {
    count()
    return { end: () => Effect.void }
  })
})

const nothingKnown: Known = { covered: RangeSet.empty, shut: RangeSet.empty, finalUntil: Infinity }

const work = { jobClass: "bulk", cause: "" } as const

/** Declares the claims about a backfiller, which is made once for all of them. On the real clock. */
export const autoBackfillerSuite = <E>(claims: AutoBackfillerClaims<E>): void => {
  const { interval, make, name, symbol, times } = claims
  const first = times[0]!
  const end = times.at(-1)! + interval.lengthMs
  const middle = times[times.length >> 1]!
  const whole: Range = [first, end]

  const entryOf = (known: string) =>
    SeriesCatalog.make({
      sources: {},
      series: [{ node: "a", intervals: [interval.text], sources: ["a"], symbol: known }]
    }).find("a", interval.text)

  /** Refills a stretch; each step is looked at. Ends after the first one where it is to be broken off. */
  const refill = Effect.fnUntraced(function* (
    stretch: Range,
    { known = nothingKnown, breaksOff = false }: { readonly known?: Known; readonly breaksOff?: boolean } = {}
  ) {
    const backfiller = yield* Backfiller
    const entry = yield* entryOf(symbol)
    let done: Refilled = {
      steps: [],
      rows: Frame.empty(entry.schema),
      proven: RangeSet.empty,
      answered: RangeSet.empty,
      requests: 0,
      entered: 0
    }
    let [requests, entered] = [0, 0]
    const onStep = (step: Step) =>
      Effect.suspend(() => {
        const steps = [...done.steps, step]
        const rows = Frame.concat(steps.map((each) => each.rows))
        const { proven } = step
        assert.isTrue(RangeSet.contains(proven, done.proven), "what is proven only grows")
        assert.isTrue(
          RangeSet.contains(RangeSet.of(...stretch), RangeSet.union(proven, step.answered)),
          "of the stretch"
        )
        for (const time of step.rows.eventTimeMs)
          assert.isTrue(stretch[0] <= time && time < stretch[1], "in the stretch")
        const brought = new Set(rows.eventTimeMs)
        assert.strictEqual(brought.size, rows.eventTimeMs.length, "no row comes twice")
        for (const time of times) {
          const isProven = RangeSet.contains(proven, RangeSet.of(time, time + interval.lengthMs))
          assert.isTrue(!isProven || brought.has(time), `the bar at ${time} is proven, and was not handed over`)
        }
        done = { steps, rows, proven, answered: step.answered, requests, entered }
        return breaksOff ? Effect.never : Effect.void
      })
    const running = yield* Effect.forkChild(
      backfiller.refill(
        {
          entry,
          stretch,
          known: Effect.succeed(known),
          work,
          gate: openWay(() => void entered++),
          onRequest: () => void requests++
        },
        onStep
      ),
      { startImmediately: true }
    )
    if (!breaksOff) {
      yield* Fiber.join(running)
      return { ...done, requests, entered }
    }
    yield* Effect.repeat(Effect.yieldNow, { until: () => done.steps.length > 0 })
    yield* Fiber.interrupt(running)
    return { ...done, requests, entered }
  })

  const timesOf = ({ rows }: Refilled): ReadonlyArray<number> => Array.from(rows.eventTimeMs)

  const valuesOf = ({ rows }: Refilled) => rows.columns.map(({ values }) => Array.from(values, String))

  const suite = layer(Layer.effect(Backfiller, make), { excludeTestServices: true, timeout: "60 seconds" })

  suite(`AutoBackfiller (${name})`, (it) => {
    it.effect("refill() brings exactly the bars of its stretch, and answers all of it", () =>
      Effect.gen(function* () {
        const refilled = yield* refill(whole)
        assert.isAbove(refilled.steps.length, 1, "the bars take several steps")
        assert.deepStrictEqual(timesOf(refilled), times)
        assert.isTrue(RangeSet.contains(refilled.answered, RangeSet.of(...whole)))
        assert.isTrue(RangeSet.contains(refilled.proven, RangeSet.of(times.at(-1)!, end)))
      })
    )

    it.effect("refill() of two parts brings what refill() of the whole does", () =>
      Effect.gen(function* () {
        const parts = [yield* refill([first, middle]), yield* refill([middle, end])]
        assert.deepStrictEqual(parts.flatMap(timesOf), times)
      })
    )

    it.effect("refill() gives the same again, also when run by many at once", () =>
      Effect.gen(function* () {
        const once = yield* refill([middle, end])
        const again = yield* Effect.all(
          Array.from({ length: 5 }, () => refill([middle, end])),
          { concurrency: "unbounded" }
        )
        for (const each of again) {
          assert.deepStrictEqual(timesOf(each), timesOf(once))
          assert.deepStrictEqual(valuesOf(each), valuesOf(once))
        }
      })
    )

    it.effect("refill() that is broken off is gone on with by another, which asks for less", () =>
      Effect.gen(function* () {
        const all = yield* refill(whole)
        const begun = yield* refill(whole, { breaksOff: true })
        const { proven } = begun
        const known = { ...nothingKnown, covered: proven }
        const rest = yield* Effect.forEach(
          Array.from(RangeSet.missing(proven, ...whole).edges).flatMap((edge, index, edges): ReadonlyArray<Range> =>
            index % 2 === 0 ? [[edge, edges[index + 1]!]] : []
          ),
          (stretch) => refill(stretch, { known })
        )
        const kept = timesOf(begun).filter((time) => RangeSet.contains(proven, RangeSet.of(time, time + 1)))
        assert.isAbove(kept.length, 0, "the first step proves something")
        assert.deepStrictEqual(
          [...kept, ...rest.flatMap(timesOf)].toSorted((a, b) => a - b),
          times
        )
        const asked = rest.reduce((sum, { requests }) => sum + requests, 0)
        assert.isBelow(asked, all.requests, "what is there is not asked for again")
      })
    )

    it.effect("refill() sends each request through the gate, and tells of each", () =>
      Effect.gen(function* () {
        const { entered, requests } = yield* refill(whole)
        assert.isAbove(requests, 0)
        assert.isAtLeast(entered, requests)
      })
    )

    const failed = Effect.fnUntraced(function* (asked: string, gate: WayOut) {
      const backfiller = yield* Backfiller
      const [steps, requests] = [new Array<Step>(), new Array<true>()]
      const failure = yield* Effect.flip(
        backfiller.refill(
          {
            entry: yield* entryOf(asked),
            stretch: whole,
            known: Effect.succeed(nothingKnown),
            work,
            gate,
            onRequest: () => void requests.push(true)
          },
          (step) => Effect.sync(() => void steps.push(step))
        )
      )
      assert.deepStrictEqual(steps, [])
      assert.instanceOf(failure, NoAnswer)
      return { failure: Option.getOrThrow(Option.liftPredicate(failure, (each) => each._tag === "NoAnswer")), requests }
    })

    it.effect("refill() of what nobody has fails and says so: nothing is proven by it", () =>
      Effect.gen(function* () {
        const { failure } = yield* failed(
          unknownSymbol,
          openWay(() => undefined)
        )
        assert.strictEqual(failure.tag, "SourceUnavailable")
        assert.include(failure.reason, unknownSymbol)
      })
    )

    it.effect("refill() sends nothing that the gate does not let out, and says whose doing that is", () =>
      Effect.gen(function* () {
        const refusal = (unsent: "source" | "budget") =>
          new RequestFailed({ reason: `kept by the ${unsent}`, retryable: false, retryAfterMs: 1234, unsent })
        for (const [unsent, tag] of [
          ["source", "SourceUnavailable"],
          ["budget", "BudgetUnavailable"]
        ] as const) {
          const { failure, requests } = yield* failed(symbol, { enter: Effect.fail(refusal(unsent)) })
          assert.lengthOf(requests, 0)
          assert.deepInclude(failure, { tag, retryAfterMs: 1234, reason: `kept by the ${unsent}` })
        }
      })
    )
  })
}
