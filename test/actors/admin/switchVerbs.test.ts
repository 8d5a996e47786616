/** What becomes of what operators and long backfills want while requests to sources are turned off? */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { DataSource } from "../../../actors/sources/DataSource.ts"
import { throughGate } from "../../../actors/sources/Gate.ts"
import type { AdminAnswer } from "../../../client/admin.ts"
import type { Configuration } from "../../../protocol/Settings.ts"
import type { SwitchName } from "../../../protocol/Switches.ts"
import * as Codec from "../../../protocol/wire/Codec.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { Mesh } from "../../../runtime/Mesh.ts"
import {
  barNow,
  configuration,
  isSettled,
  read,
  rootNow,
  secondMs,
  series,
  settleMs,
  sourceOf
} from "../../support/changingSource.ts"
import * as memoryHost from "../../support/memoryHost.ts"
import { untilTrue } from "../../support/untilTrue.ts"

// bars do not settle: nothing is asked for by itself
const settled: Configuration = {
  ...configuration,
  sources: { binance: { kind: "exchange", exchange: "binance", finalityDelayMs: 0 } }
}

/** Within which a series is looked at anew. */
const lookedAtMs = 6000

const turn = (name: SwitchName, on: boolean) =>
  memoryHost.askAdmin<AdminAnswer<"turnSwitch">>("turnSwitch", { name, on, reason: "drill" })

/** A host with ten bars that are stored, of some time ago. */
const start = Effect.gen(function* () {
  const { asked, source } = sourceOf(() => 1)
  const gated: DataSource = { ...source, page: (request) => throughGate(source.page(request)) }
  yield* memoryHost.start({ configuration: settled, sources: [gated] })
  const nowMs = yield* barNow
  const from = nowMs - 100 * secondMs
  yield* read(from, from + 10 * secondMs)
  return { asked, from }
})

const tagOf = (verb: string, asked: object) =>
  Effect.map(
    Effect.flip(memoryHost.askAdmin<object>(verb, { ...series, ...asked })),
    (error) => (error as { readonly tag: string }).tag
  )

describe("switches", () => {
  it.live("are listed with what they mean, and refused without a reason or by a name that is none", () =>
    Effect.gen(function* () {
      yield* start
      assert.isTrue((yield* turn("DISABLE_BACKFILL", true)).changed)
      assert.isFalse((yield* turn("DISABLE_BACKFILL", true)).changed)
      const { switches, version } = yield* memoryHost.askAdmin<AdminAnswer<"switches">>("switches", {})
      assert.strictEqual(version, 1)
      assert.deepStrictEqual(
        switches.map(({ name, on, onByDefault, word }) => [name, on, onByDefault, word?.by]),
        [
          ["DISABLE_BACKFILL", true, false, "alice"],
          ["FORCE_FAIL_FAST", false, false, undefined],
          ["enable_coordinator", true, true, undefined],
          ["enable_detached_backfill", true, true, undefined]
        ]
      )
      assert.strictEqual(yield* tagOf("turnSwitch", { name: "FORCE_FAIL_FAST", on: true }), "InvalidAdminRequest")
      const wrong = { name: "DISABLE_EVERYTHING", on: true, reason: "drill" }
      assert.strictEqual(yield* tagOf("turnSwitch", wrong), "InvalidAdminRequest")
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )
})

describe("DISABLE_BACKFILL", () => {
  it.live("takes nothing out that may not be fetched again, and asks no source to compare", () =>
    Effect.gen(function* () {
      const { asked, from } = yield* start
      yield* turn("DISABLE_BACKFILL", true)
      const [requests, { version }] = [asked.length, yield* rootNow]
      // one bar: of several some may be in the next window, and only one can be compared at once
      const range = { start: from, end: from + secondMs }
      assert.strictEqual(yield* tagOf("reprocess", { ...range, reason: "wrong" }), "BackfillOff")
      assert.strictEqual((yield* rootNow).version, version)
      const { parts } = yield* memoryHost.askAdmin<AdminAnswer<"verify">>("verify", { ...series, ...range })
      assert.deepStrictEqual(
        parts.map(({ failure }) => failure?.tag),
        ["BackfillOff"]
      )
      assert.strictEqual(asked.length, requests)
      yield* turn("DISABLE_BACKFILL", false)
      yield* memoryHost.askAdmin<AdminAnswer<"reprocess">>("reprocess", { ...series, ...range, reason: "wrong" })
      yield* untilTrue(
        "it is fetched again",
        Effect.sync(() => asked.length > requests)
      )
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )

  it.live(
    "leaves bars alone that are due to be asked for once more, and they are when it is turned off",
    () =>
      Effect.gen(function* () {
        const { source } = sourceOf(() => 1)
        yield* memoryHost.start({ configuration, sources: [source] })
        const nowMs = yield* barNow
        yield* read(nowMs - 10 * secondMs, nowMs)
        yield* turn("DISABLE_BACKFILL", true)
        assert.isFalse(yield* isSettled)
        // for so long that the series is looked at while all of them are due, and none may be asked for
        yield* untilTrue(
          "all are due",
          Effect.map(barNow, (ms) => ms > nowMs + settleMs + lookedAtMs),
          settleMs + 2 * lookedAtMs
        )
        assert.isFalse(yield* isSettled)
        yield* turn("DISABLE_BACKFILL", false)
        yield* untilTrue("they are asked for", isSettled, 18_000)
      }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer)),
    40_000
  )

  it.live("is the trouble of a long backfill, which goes on when it is turned off", () =>
    Effect.gen(function* () {
      const { from } = yield* start
      yield* turn("DISABLE_BACKFILL", true)
      const named = { name: "drill" }
      const range = { ...series, start: from, end: from + 90 * secondMs }
      yield* memoryHost.askAdmin<AdminAnswer<"backfill">>("createBackfill", { ...named, ...range })
      const report = Effect.orDie(memoryHost.askAdmin<AdminAnswer<"backfill">>("backfill", named))
      yield* untilTrue(
        "it says what keeps it",
        Effect.map(report, (told) => JSON.stringify(told).includes("DISABLE_BACKFILL is on"))
      )
      assert.strictEqual((yield* report).status, "running")
      yield* turn("DISABLE_BACKFILL", false)
      yield* untilTrue(
        "it is done",
        Effect.map(report, ({ status }) => status === "done"),
        18_000
      )
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )
})

describe("FORCE_FAIL_FAST", () => {
  it.live("is about reads: who asks that a range be made available has it filled", () =>
    Effect.gen(function* () {
      const { from } = yield* start
      yield* turn("FORCE_FAIL_FAST", true)
      const range = { ...series, start: from, end: from + 20 * secondMs }
      const mesh = yield* Mesh
      const reply = yield* mesh.request(Subject.service.ensure, Codec.toJson(range), { timeoutMs: 10_000 })
      assert.isTrue(JSON.parse(new TextDecoder().decode(reply.data)).available)
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )
})
