/**
 * Is what is rolled up right once a change below was taken over, whatever came when?
 *
 * Minutes change and are taken out while bars are read, made and taken out above them, and hosts come and go. The seed
 * is in the title.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import type { DataSource } from "../../../actors/sources/DataSource.ts"
import { makeMemory } from "../../../actors/sources/memorySource.ts"
import type { Configuration } from "../../../protocol/Settings.ts"
import { Coverage } from "../../../protocol/messages/Coverage.ts"
import { followMessage } from "../../../protocol/messages/Derived.ts"
import type { Verified } from "../../../protocol/messages/Verify.ts"
import * as Codec from "../../../protocol/wire/Codec.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import { ask } from "../../../runtime/ActorSystem.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { Mesh } from "../../../runtime/Mesh.ts"
import * as memoryHost from "../../support/memoryHost.ts"
import { flatBars } from "../../support/rows.ts"
import { seededNumbers } from "../../support/seededOrder.ts"
import { untilTrue } from "../../support/untilTrue.ts"

const minuteMs = 60_000
const node = "a"
const [first, count] = [1000, 100]
const range = [first, first + count] as const
const finer = { nodeId: node, interval: "1m" }

const configuration: Configuration = {
  sources: { binance: { kind: "exchange", exchange: "binance" } },
  series: [
    { node, intervals: ["1m"], sources: ["binance"], symbol: "A", windowBars: 20 },
    { node, intervals: ["5m"], derivedFrom: "1m", windowBars: 10 },
    { node, intervals: ["20m"], derivedFrom: "5m", windowBars: 2 }
  ],
  retry: { attempts: 100, baseMs: 50, maxMs: 100 }
}

/** A source whose minutes say what they are told to, and take a while to come. */
const makeMarket = (random: () => number) => {
  const volume = Array.from({ length: count }, () => 1)
  const capabilities = { barsPerRequest: 30, maxEmptyBars: 5, finalityDelayMs: 0, attemptsMax: 3 }
  const minutes = volume.map((_, index) => first + index)
  const made = () => makeMemory({ name: "binance", capabilities, bars: new Map([["A", flatBars(minutes, volume)]]) })
  const source: DataSource = {
    ...made(),
    page: (request) =>
      // what is said is said when it is asked, and comes later
      Effect.flatMap(made().page(request), (rows) => Effect.as(Effect.sleep(random() * 30), rows))
  }
  return { volume, source }
}

const read = Effect.fnUntraced(function* (interval: string) {
  const mesh = yield* Mesh
  const [start, end] = range.map((minute) => minute * minuteMs)
  const body = { nodeId: node, interval, start, end, strategy: "auto_backfill", sla: { totalDeadlineMs: 9000 } }
  const reply = yield* mesh.request(Subject.service.read, Codec.toJson(body), { timeoutMs: 10_000 })
  const answer: { readonly columns: Readonly<Record<string, ReadonlyArray<number>>> } = JSON.parse(
    new TextDecoder().decode(reply.data)
  )
  return answer.columns["volume"]
})

const sums = (volume: ReadonlyArray<number>, bars: number): ReadonlyArray<number> =>
  Array.from({ length: count / bars }, (_, bar) =>
    volume.slice(bar * bars, (bar + 1) * bars).reduce((sum, each) => sum + each, 0)
  )

/** A host that can be replaced by another. */
const makeHost = Effect.fnUntraced(function* (source: DataSource) {
  const outer = yield* Effect.scope
  let started = 0
  const start = Effect.gen(function* () {
    const scope = yield* Scope.fork(outer)
    const context = yield* Scope.provide(memoryHost.start({ configuration, sources: [source] }, `h${++started}`), scope)
    return { scope, provide: Effect.provide(context) }
  })
  let host = yield* start
  return {
    now: () => host,
    replace: Effect.gen(function* () {
      yield* Scope.close(host.scope, Exit.void)
      host = yield* start
    })
  }
})

const askFollow = ask(followMessage)

const run = Effect.fnUntraced(function* (seed: number) {
  const random = seededNumbers(seed)
  const { source, volume } = makeMarket(random)
  const host = yield* makeHost(source)
  const pick = (below: number): number => Math.floor(random() * below)
  yield* read("20m")

  const change = Effect.gen(function* () {
    const from = pick(count)
    const to = Math.min(count, from + 1 + pick(8))
    for (let minute = from; minute < to; minute++) volume[minute] = 1 + pick(1000)
    const [start, end] = [(first + from) * minuteMs, (first + to) * minuteMs]
    yield* memoryHost.askAdmin("invalidate", { ...finer, start, end, reason: "corrected" })
  })
  const repair = Effect.gen(function* () {
    const minute = pick(count)
    volume[minute] = 1 + pick(1000)
    const start = (first + minute) * minuteMs
    const { parts } = yield* memoryHost.askAdmin<Verified>("repair", {
      ...finer,
      start,
      end: start + minuteMs,
      reason: "corrected"
    })
    assert.deepStrictEqual(
      parts.flatMap(({ failure }) => failure ?? []),
      []
    )
  })
  for (let step = 0; step < 14; step++) {
    const drawn = random()
    if (drawn < 0.3) yield* change
    else if (drawn < 0.5) yield* repair
    else if (drawn < 0.9) yield* Effect.forkScoped(Effect.ignore(read(drawn < 0.7 ? "5m" : "20m")))
    else yield* host.replace
    yield* Effect.sleep(random() * 150)
  }

  const { provide } = host.now()
  const coverage = yield* provide(Coverage)
  /** The version of a finer series, once all up to it was taken over above. */
  const takenOver = (of: string, above: string) =>
    Effect.gen(function* () {
      const { root } = yield* coverage.of({ nodeId: node, interval: of }, { fresh: true })
      const { version } = yield* provide(askFollow(Subject.series(node, above), null))
      return version >= root.version
    })
  // readers that are still there fill below what others have taken out: that changes nothing above
  yield* read("1m")
  yield* untilTrue("changes are taken over by 5m", takenOver("1m", "5m"))
  assert.deepStrictEqual(yield* read("5m"), sums(volume, 5))
  yield* untilTrue("changes are taken over by 20m", takenOver("5m", "20m"))
  assert.deepStrictEqual(yield* read("20m"), sums(volume, 20))
  assert.deepStrictEqual(yield* read("1m"), volume)
})

const seeds = Array.from({ length: 2 }, (_, index) => (Date.now() % 100_000) + index)

describe("minutes that change at any time", () => {
  it.live.each(seeds)(
    "leave nothing wrong above once they were taken over, seed %i",
    (seed) => run(seed).pipe(Effect.provide(MemoryMesh.layer)),
    60_000
  )
})
