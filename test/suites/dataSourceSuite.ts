/**
 * What must every source of rows hold, whatever it reads from?
 *
 * An adapter is done when these claims pass on it.
 */
import { assert, layer } from "@effect/vitest"
import { Context, Deferred, Effect, Fiber, Layer, Option, type Scope } from "effect"
import { RequestFailed, type DataSource } from "../../actors/sources/DataSource.ts"
import { type Ended, Gate, type WayOut } from "../../actors/sources/Gate.ts"
import type { RawColumn, RawRows } from "../../protocol/frame/RawRows.ts"
import type { Interval } from "../../protocol/history/Interval.ts"
import { untilTrue } from "../support/untilTrue.ts"

/** A source, and what is in it. */
export interface DataSourceClaims<E> {
  readonly name: string
  readonly make: Effect.Effect<DataSource, E, Scope.Scope>
  /** A symbol that the source has. */
  readonly symbol: string
  readonly interval: Interval
  /** All bars of the symbol: ascending, times in epoch milliseconds, more of them than one page holds. */
  readonly bars: RawRows
  /**
   * The same source where none of its requests for bars is ever answered, and how many of them are out; of sources that
   * send requests.
   */
  readonly hanging?: Effect.Effect<
    { readonly source: DataSource; readonly requests: Effect.Effect<number> },
    E,
    Scope.Scope
  >
  /** Whether the source can tell where a symbol begins. */
  readonly tellsFirstBar: boolean
}

class Source extends Context.Service<Source, DataSource>()("seamless/test/dataSourceSuite/Source") {}

/** Rows by column name as plain numbers, NaN for a missing value: what two sources of the same bars agree in. */
type Table = Readonly<Record<string, ReadonlyArray<number>>>

const numbers = (values: RawColumn["values"]): ReadonlyArray<number> =>
  Array.from(values, (value) => (value === null ? Number.NaN : Number(value)))

const toTable = ({ columns, eventTime }: RawRows): Table =>
  Object.fromEntries([
    ["eventTime", Array.from(eventTime, Number)],
    ...columns.map(({ name, values }) => [name, numbers(values)] as const)
  ])

const pick = (table: Table, isWanted: (time: number) => boolean): Table => {
  const wanted = table["eventTime"]!.map(isWanted)
  return Object.fromEntries(
    Object.entries(table).map(([name, values]) => [name, values.filter((_, row) => wanted[row])])
  )
}

const join = (a: Table, b: Table): Table =>
  Object.fromEntries(Object.entries(a).map(([name, values]) => [name, [...values, ...(b[name] ?? [])]]))

/** Within which an interruption is heeded. */
const heededWithin = "2 seconds"

// Nobody lists it.
const unknownSymbol = "SEAMLESS0/SEAMLESS1"

/** Declares the claims about a source, which is made once for all of them. On the real clock. */
export const dataSourceSuite = <E>(claims: DataSourceClaims<E>): void => {
  const { bars, hanging, interval, make, name, symbol, tellsFirstBar } = claims
  const all = toTable(bars)
  const times = all["eventTime"]!
  const first = times[0]!
  const end = times.at(-1)! + interval.lengthMs
  const middle = times[times.length >> 1]!

  const inside = (start: number, end: number): Table => pick(all, (time) => start <= time && time < end)

  const askPage = Effect.fnUntraced(function* (start: number, end: number) {
    const source = yield* Source
    const rows = yield* source.page({ symbol, interval, start, end })
    const table = toTable({ eventTime: rows.eventTime, columns: rows.columns })
    for (const [column, values] of Object.entries(table)) assert.lengthOf(values, rows.eventTime.length, column)
    return { table, until: rows.until }
  })
  const ask = (start: number, end: number) => Effect.map(askPage(start, end), ({ table }) => table)

  /** The whole range, each page from where the one before ended, until a page is empty and goes no further. */
  const readAll = Effect.fnUntraced(function* (start: number, end: number) {
    let read = pick(all, () => false)
    let from = start
    while (from < end) {
      const { table: page, until } = yield* askPage(from, end)
      const last = page["eventTime"]!.at(-1)
      const next = until ?? (last === undefined ? from : last + 1)
      if (last === undefined && next <= from) break
      assert.isAbove(next, last ?? from, "a page goes on")
      read = join(read, page)
      from = next
    }
    return read
  })

  const suite = layer(Layer.effect(Source, make), { excludeTestServices: true, timeout: "60 seconds" })

  suite(`DataSource (${name})`, (it) => {
    it.effect("page() starts with the first bar of its range and ascends", () =>
      Effect.gen(function* () {
        const page = yield* ask(middle, end)
        const given = page["eventTime"]!
        assert.isAbove(given.length, 1)
        assert.deepStrictEqual(given, times.slice(times.length >> 1, (times.length >> 1) + given.length))
      })
    )

    it.effect("page() gives only bars in [start, end): the first instant counts, the last does not", () =>
      Effect.gen(function* () {
        const last = times[(times.length >> 1) + 1]!
        for (const [from, to] of [
          [middle, last],
          [middle, last + 1],
          [middle + 1, last + 1],
          [middle + 1, last],
          [middle, middle + 1],
          [middle, middle]
        ] as const) {
          assert.deepStrictEqual(yield* ask(from, to), inside(from, to), `[${from}, ${to})`)
        }
      })
    )

    it.effect("page() never holds more than barsPerRequest", () =>
      Effect.gen(function* () {
        const { capabilities } = yield* Source
        assert.isAbove(times.length, capabilities.barsPerRequest, "the bars fill more than a page")
        const page = yield* ask(first, end)
        assert.isAtMost(page["eventTime"]!.length, capabilities.barsPerRequest)
      })
    )

    it.effect("page() from where the last one ended, until one is empty, gives exactly the bars", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* readAll(first, end), all)
        const before = first - 2 * interval.lengthMs
        assert.deepStrictEqual(yield* readAll(before, end + 2 * interval.lengthMs), all)
      })
    )

    it.effect("page() is empty where there are no bars", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(
          yield* ask(end, end + 10 * interval.lengthMs),
          pick(all, () => false)
        )
      })
    )

    it.effect("page() fails for good on an unknown symbol", () =>
      Effect.gen(function* () {
        const source = yield* Source
        const failure = yield* Effect.flip(source.page({ symbol: unknownSymbol, interval, start: first, end }))
        assert.instanceOf(failure, RequestFailed)
        assert.isFalse(failure.retryable)
        assert.isNull(failure.retryAfterMs)
        assert.include(failure.reason, unknownSymbol)
      })
    )

    it.effect(`firstBar() ${tellsFirstBar ? "is the start of the first bar there is" : "is not offered"}`, () =>
      Effect.gen(function* () {
        const { firstBar } = yield* Source
        assert.strictEqual(firstBar !== undefined, tellsFirstBar)
        if (firstBar === undefined) return
        assert.deepStrictEqual(yield* firstBar(symbol, interval), Option.some(first))
        const failure = yield* Effect.flip(firstBar(unknownSymbol, interval))
        assert.isFalse(failure.retryable)
        assert.include(failure.reason, unknownSymbol)
      })
    )

    it.effect("page() that nobody waits for any more waits no more for its turn, and sends nothing", () =>
      Effect.gen(function* () {
        const source = yield* Source
        const isAtGate = yield* Deferred.make<void>()
        const shut: WayOut = { enter: Effect.andThen(Deferred.succeed(isAtGate, undefined), Effect.never) }
        const asking = yield* source
          .page({ symbol, interval, start: middle, end })
          .pipe(Effect.provideService(Gate, shut), Effect.forkChild)
        yield* Deferred.await(isAtGate)
        yield* Effect.timeout(Fiber.interrupt(asking), heededWithin)
        // and it is as good as before
        assert.isAbove((yield* ask(middle, end))["eventTime"]!.length, 1)
      })
    )

    it.effect("page() hangs up on a request that nobody waits for any more, where it sends any", () =>
      Effect.gen(function* () {
        if (hanging === undefined) return
        const { requests, source } = yield* hanging
        const ended: Array<Ended> = []
        const gate: WayOut = { enter: Effect.succeed({ end: (how) => Effect.sync(() => void ended.push(how)) }) }
        const asking = yield* source
          .page({ symbol, interval, start: middle, end })
          .pipe(Effect.provideService(Gate, gate), Effect.forkChild)
        yield* untilTrue(
          "the request is out",
          Effect.map(requests, (count) => count === 1)
        )
        yield* Effect.timeout(Fiber.interrupt(asking), heededWithin)
        yield* untilTrue(
          "the connection is closed",
          Effect.map(requests, (count) => count === 0)
        )
        assert.isTrue(ended.at(-1)?._tag === "Failure", "and the gate is told")
      })
    )

    it.effect("page() gives the same again, also when asked by many at once", () =>
      Effect.gen(function* () {
        const once = yield* ask(middle, end)
        const again = yield* Effect.all(
          Array.from({ length: 10 }, () => ask(middle, end)),
          { concurrency: "unbounded" }
        )
        for (const page of again) assert.deepStrictEqual(page, once)
      })
    )
  })
}
