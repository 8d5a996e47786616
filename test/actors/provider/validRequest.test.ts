/** Is a wrong request refused with what would be right, and a right one decided in every option? */
import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { parseEnsure, parseHistory, type RequestError, validate } from "../../../actors/provider/validRequest.ts"
import * as SeriesCatalog from "../../../actors/sources/SeriesCatalog.ts"
import type { InvalidRequest } from "../../../protocol/history/Errors.ts"
import { withBaggage } from "../../../runtime/telemetry/Baggage.ts"
import { configuration, minute } from "../../support/requests.ts"

const plain = { nodeId: "ohlcv:binance:BTC/BUSD", interval: "1m", start: 0, end: 10 * minute }
const terms = { verb: "read", defaults: {}, barsMax: 100 } as const

const valid = (changes: object) =>
  Effect.flatMap(parseHistory({ ...plain, ...changes }), (request) => validate(request, terms))

const refused = (changes: object): Effect.Effect<RequestError, unknown, SeriesCatalog.SeriesCatalog> =>
  Effect.flip(valid(changes))

const invalid = (input: unknown): Effect.Effect<InvalidRequest, unknown> => Effect.flip(parseHistory(input))

layer(SeriesCatalog.layer(configuration))("validate()", (it) => {
  it.effect("validate() decides every option that the request leaves open", () =>
    Effect.gen(function* () {
      const { entry, requestId, sla, ...rest } = yield* valid({})
      assert.deepEqual(rest, {
        range: [0, 10 * minute],
        strategy: "seamless",
        strict: false,
        onStrictViolation: "error",
        sources: ["binance", "kraken"],
        minVersion: 0,
        consistency: "eventual",
        fill: "none",
        returnMeta: true
      })
      assert.equal(entry.series.interval, "1m")
      assert.match(requestId, /^[0-9a-z]{24}$/)
      assert.equal(sla.totalDeadlineMs, 5000)
    })
  )

  it.effect("validate() takes one point of the past, and not beside a version that is to come at the least", () =>
    Effect.gen(function* () {
      assert.deepEqual((yield* valid({ asOf: { version: 17 } })).asOf, { version: 17 })
      assert.deepEqual((yield* valid({ asOf: { time: 5 } })).asOf, { time: 5 })
      const both = yield* refused({ asOf: { version: 17 }, minVersion: 3 })
      assert.include(both, { _tag: "InvalidRequest", field: "asOf" })
      for (const asOf of [{}, { version: 1, time: 5 }, { version: -1 }, { version: 1.5 }, 17, "now"]) {
        const range = { nodeId: "a", interval: "1m", start: 0, end: 60_000 }
        const error = yield* invalid({ ...range, asOf })
        assert.match(error.field, /^asOf/, JSON.stringify(asOf))
      }
    })
  )

  it.effect("validate() gives two requests different ids, and keeps one that is given", () =>
    Effect.gen(function* () {
      assert.notEqual((yield* valid({})).requestId, (yield* valid({})).requestId)
      assert.equal((yield* valid({ requestId: "mine" })).requestId, "mine")
    })
  )

  it.effect("validate() takes the request id from the caller's baggage where the request has none", () =>
    Effect.gen(function* () {
      const within = withBaggage("userId=alice, requestId = order%2017;ttl=1 ,requestId=other")
      assert.equal((yield* within(valid({}))).requestId, "order 17")
      assert.equal((yield* within(valid({ requestId: "mine" }))).requestId, "mine")
      assert.match((yield* withBaggage(`requestId=${"r".repeat(257)}`)(valid({}))).requestId, /^[0-9a-z]{24}$/)
    })
  )

  it.effect("parseHistory() refuses texts that are longer or shorter than any that is meant, and tells how long", () =>
    Effect.gen(function* () {
      const tooLong = [
        [{ nodeId: "n".repeat(257) }, "nodeId", "has 257 bytes of UTF-8; 1 to 256 are taken"],
        [{ nodeId: "é".repeat(129) }, "nodeId", "has 258 bytes of UTF-8; 1 to 256 are taken"],
        [{ nodeId: "" }, "nodeId", "has 0 bytes of UTF-8; 1 to 256 are taken"],
        [{ requestId: "r".repeat(257) }, "requestId", "has 257 characters; at most 256 are taken"],
        [{ sourcePriority: ["s".repeat(257)] }, "sourcePriority.0", "has 257 characters; at most 256 are taken"],
        [{ sourcePriority: Array.from({ length: 65 }, () => "s") }, "sourcePriority", "has 65 names of sources"]
      ] as const
      for (const [changes, field, problem] of tooLong) {
        const error = yield* invalid({ ...plain, ...changes })
        assert.equal(error.field, field)
        assert.include(error.problem, problem)
      }
      const longest = { requestId: "r".repeat(256), sourcePriority: Array.from({ length: 64 }, () => "s".repeat(256)) }
      for (const nodeId of ["n".repeat(256), "é".repeat(128)]) yield* parseHistory({ ...plain, nodeId, ...longest })
    })
  )

  it.effect("validate() refuses a series that is not kept, and says what is", () =>
    Effect.gen(function* () {
      const node = yield* refused({ nodeId: "ohlcv:binance:ETH" })
      assert.match(node.message, /no series ohlcv:binance:ETH 1m; known: ohlcv:binance:BTC\/BUSD/)
      const interval = yield* refused({ interval: "2m" })
      assert.equal(interval._tag, "UnknownSeries")
      assert.match(interval.message, /known: 1m, 1w/)
    })
  )

  it.effect("validate() takes an interval in any spelling", () =>
    Effect.gen(function* () {
      assert.equal((yield* valid({ interval: "60s" })).entry.series.interval, "1m")
    })
  )

  for (const interval of ["7x", "m", "0m", "1.5m", "", "1 m", "-1m"]) {
    it.effect(`validate() refuses the interval ${JSON.stringify(interval)}`, () =>
      Effect.gen(function* () {
        const error = yield* refused({ interval })
        assert.include(error, { _tag: "InvalidRequest", field: "interval" })
        assert.include(error.message, JSON.stringify(interval))
      })
    )
  }

  it.effect("validate() refuses a range off the grid, and names the one that is on it", () =>
    Effect.gen(function* () {
      const error = yield* refused({ start: 30_000, end: 90_001 })
      assert.include(error, { _tag: "UnalignedRange", alignedStart: 0, alignedEnd: 2 * minute })
      assert.match(error.message, /\[1970-01-01T00:00:00(\.000)?Z, 1970-01-01T00:02:00(\.000)?Z\)/)
      assert.include(error.message, "0 to 120000")
    })
  )

  it.effect("validate() widens a range off the grid where the request says so, before 1970 too", () =>
    Effect.gen(function* () {
      const wide = yield* valid({ start: 30_000, end: 90_001, align: "expand" })
      assert.deepEqual(wide.range, [0, 2 * minute])
      assert.deepEqual((yield* valid({ start: -1, end: 0, align: "expand" })).range, [-minute, 0])
      assert.deepEqual((yield* valid({ align: "expand" })).range, [0, 10 * minute])
    })
  )

  it.effect("validate() counts weeks from Monday", () =>
    Effect.gen(function* () {
      const monday = 4 * 24 * 60 * minute
      const error = yield* refused({ interval: "1w", start: 0, end: monday })
      assert.include(error, { _tag: "UnalignedRange", alignedStart: monday - 7 * 24 * 60 * minute, alignedEnd: monday })
    })
  )

  for (const [start, end] of [
    [minute, minute],
    [2 * minute, minute]
  ] as const) {
    it.effect(`validate() refuses the range [${start}, ${end})`, () =>
      Effect.gen(function* () {
        assert.include(yield* refused({ start, end }), { _tag: "InvalidRequest", field: "start" })
        assert.include(yield* refused({ start, end, align: "expand" }), { _tag: "InvalidRequest", field: "start" })
      })
    )
  }

  it.effect("validate() refuses one bar more than the limit, counted after widening", () =>
    Effect.gen(function* () {
      assert.deepEqual((yield* valid({ end: 100 * minute })).range, [0, 100 * minute])
      assert.include(yield* refused({ end: 101 * minute }), { _tag: "RangeTooLarge", bars: 101, barsMax: 100 })
      const wide = { start: -1, end: 100 * minute, align: "expand" }
      assert.include(yield* refused(wide), { _tag: "RangeTooLarge", bars: 101 })
    })
  )

  it.effect("validate() takes a strategy in upper case", () =>
    Effect.gen(function* () {
      const { sla, strategy } = yield* valid({ strategy: "PARTIAL_FILL" })
      assert.equal(strategy, "partial_fill")
      assert.equal(sla.totalDeadlineMs, 500)
    })
  )

  it.effect("validate() asks the named sources first, the others after them, none twice", () =>
    Effect.gen(function* () {
      assert.deepEqual((yield* valid({ sourcePriority: ["kraken"] })).sources, ["kraken", "binance"])
      assert.deepEqual((yield* valid({ sourcePriority: ["kraken", "kraken"] })).sources, ["kraken", "binance"])
      assert.deepEqual((yield* valid({ sourcePriority: [] })).sources, ["binance", "kraken"])
    })
  )

  it.effect("validate() refuses a source that the series has not", () =>
    Effect.gen(function* () {
      const error = yield* refused({ sourcePriority: ["kraken", "mtgox"] })
      assert.include(error, { _tag: "InvalidRequest", field: "sourcePriority" })
      assert.match(error.message, /mtgox is no source of this series; it has binance, kraken/)
    })
  )

  it.effect("validate() takes from the environment what the request leaves open, as far as it fits the series", () =>
    Effect.gen(function* () {
      const defaults = { sourcePriority: ["mtgox", "kraken"], align: "expand", sla: { minCoverage: 1 } } as const
      const within = (changes: object) =>
        Effect.flatMap(parseHistory({ ...plain, ...changes }), (request) => validate(request, { ...terms, defaults }))
      const open = yield* within({ start: 1 })
      assert.deepEqual([open.sources, open.range[0], open.sla.minCoverage], [["kraken", "binance"], 0, 1])
      assert.deepEqual((yield* within({ sourcePriority: [] })).sources, ["binance", "kraken"])
      assert.include(yield* Effect.flip(within({ sourcePriority: ["mtgox"] })), { field: "sourcePriority" })
      assert.include(yield* Effect.flip(within({ start: 1, align: "exact" })), { _tag: "UnalignedRange" })
    })
  )

  it.effect("validate() reads what stands where the request says so, also where the environment reads the past", () =>
    Effect.gen(function* () {
      const past = { ...terms, defaults: { asOf: { time: 5 } } } as const
      const within = (changes: object) =>
        Effect.flatMap(parseHistory({ ...plain, ...changes }), (request) => validate(request, past))
      assert.deepEqual((yield* within({})).asOf, { time: 5 })
      assert.deepEqual((yield* within({ asOf: { version: 2 } })).asOf, { version: 2 })
      assert.notProperty(yield* within({ asOf: null }), "asOf")
      assert.include(yield* Effect.flip(within({ minVersion: 3 })), { field: "asOf" })
      assert.equal((yield* within({ minVersion: 3, asOf: null })).minVersion, 3)
    })
  )

  it.effect("validate() lets the request's policy win over the strategy's, field by field", () =>
    Effect.gen(function* () {
      const { sla } = yield* valid({ sla: { maxSyncGapBars: 3 } })
      assert.include(sla, { maxSyncGapBars: 3, maxWaitBackfillMs: 3000, totalDeadlineMs: 5000 })
    })
  )
})

describe("parseHistory()", () => {
  const wrong = [
    ["a field that is not known", { ...plain, strategi: "seamless" }, "strategi"],
    ["a strategy that is not known", { ...plain, strategy: "eager" }, "strategy"],
    ["a strategy in mixed case", { ...plain, strategy: "Seamless" }, "strategy"],
    ["a start that is no integer", { ...plain, start: 0.5 }, "start"],
    ["a start in words", { ...plain, start: "1970-01-01" }, "start"],
    ["an absent end", { nodeId: "a", interval: "1m", start: 0 }, "end"],
    ["a budget below zero", { ...plain, sla: { totalDeadlineMs: -1 } }, "sla.totalDeadlineMs"],
    ["a share above one", { ...plain, sla: { minCoverage: 1.1 } }, "sla.minCoverage"],
    ["a policy field that is not known", { ...plain, sla: { totalDeadline: 1 } }, "sla.totalDeadline"],
    ["no request at all", null, "request"],
    ["a list", [], "request"],
    ["a list of requests", [plain], "request"],
    ["a text", "x", "request"]
  ] as const

  layer(SeriesCatalog.layer(configuration))("names the field", (it) => {
    for (const [what, input, field] of wrong) {
      it.effect(`parseHistory() refuses ${what}`, () =>
        Effect.gen(function* () {
          const error = yield* invalid(input)
          assert.include(error, { _tag: "InvalidRequest", field })
          assert.isAbove(error.problem.length, 0)
          assert.notMatch(error.message, /\n/)
        })
      )
    }

    it.effect("parseEnsure() knows no returnMeta, parseHistory() does", () =>
      Effect.gen(function* () {
        const input = { ...plain, returnMeta: false }
        assert.isFalse((yield* parseHistory(input)).returnMeta)
        assert.include(yield* Effect.flip(parseEnsure(input)), { field: "returnMeta" })
      })
    )
  })
})
