/** Does every host know what is turned on and off, and is every turn kept? */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { TestClock } from "effect/testing"
import { isOn, SwitchChange, type SwitchName, switchesKey, turned, untouched } from "../../protocol/Switches.ts"
import * as Codec from "../../protocol/wire/Codec.ts"
import { settings } from "../../protocol/wire/SettingsBucket.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import { keySubject } from "../../protocol/wire/StreamSpec.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import * as MemoryMesh from "../../runtime/MemoryMesh.ts"
import { Mesh } from "../../runtime/Mesh.ts"
import * as Switches from "../../runtime/Switches.ts"

/** A host's view of the switches, as long as the scope lives. */
const board = Effect.map(Layer.build(Layer.fresh(Switches.layer)), (context) => ({
  board: Context.get(context, Switches.SwitchBoard),
  current: Context.get(context, Switches.Switches)
}))

const alice = (name: SwitchName, on: boolean): Switches.Turn => ({ name, on, by: "alice", reason: "drill" })

const audited = Effect.gen(function* () {
  const mesh = yield* Mesh
  const { entries } = yield* mesh.history(Stream.audit.name, Subject.audit(switchesKey))
  return entries.map(({ value }) =>
    Schema.decodeUnknownSync(SwitchChange)(Option.getOrThrow(Option.flatMap(value, Codec.fromJson)))
  )
})

/** Writes a record as another build, or one that died, may have left it. */
const write = (record: object) =>
  Effect.flatMap(Mesh, (mesh) => mesh.write(keySubject(settings, switchesKey), Codec.toJson(record)))

const eventually = (holds: () => boolean) =>
  Effect.gen(function* () {
    for (let look = 0; look < 100 && !holds(); look++) yield* TestClock.adjust("100 millis")
    assert.isTrue(holds())
  })

describe("Switches", () => {
  it.effect("turn() holds on every host, and keeps who, when and why", () =>
    Effect.gen(function* () {
      const [one, other] = [yield* board, yield* board]
      assert.deepStrictEqual(turned(one.current()), [])
      const { changed, record } = yield* one.board.turn(alice("DISABLE_BACKFILL", true))
      assert.isTrue(changed)
      assert.isTrue(isOn(one.current(), "DISABLE_BACKFILL"))
      assert.deepStrictEqual(other.current(), record)
      assert.containSubset(record.words["DISABLE_BACKFILL"], { on: true, by: "alice", reason: "drill" })
      yield* other.board.turn({ ...alice("enable_coordinator", false), by: "bob" })
      assert.deepStrictEqual(turned(one.current()), ["DISABLE_BACKFILL", "enable_coordinator"])
      assert.deepStrictEqual(
        (yield* audited).map(({ by, name, on, version }) => [version, name, on, by]),
        [
          [1, "DISABLE_BACKFILL", true, "alice"],
          [2, "enable_coordinator", false, "bob"]
        ]
      )
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )

  it.effect("turn() leaves a switch alone that stands so already", () =>
    Effect.gen(function* () {
      const one = yield* board
      yield* one.board.turn(alice("FORCE_FAIL_FAST", true))
      const again = yield* one.board.turn({ ...alice("FORCE_FAIL_FAST", true), by: "bob" })
      assert.isFalse(again.changed)
      assert.strictEqual(again.record.version, 1)
      assert.isFalse((yield* one.board.turn(alice("enable_detached_backfill", true))).changed)
      assert.lengthOf(yield* audited, 1)
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )

  it.effect("turn() keeps what others turn at the same time", () =>
    Effect.gen(function* () {
      const [one, other] = [yield* board, yield* board]
      yield* Effect.all(
        [one.board.turn(alice("DISABLE_BACKFILL", true)), other.board.turn(alice("FORCE_FAIL_FAST", true))],
        { concurrency: 2 }
      )
      assert.deepStrictEqual(turned(one.current()), ["DISABLE_BACKFILL", "FORCE_FAIL_FAST"])
      assert.deepStrictEqual(one.current(), other.current())
      assert.deepStrictEqual(
        (yield* audited).map(({ version }) => version),
        [1, 2]
      )
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )

  it.effect("turn() notes what somebody turned who died before it was noted", () =>
    Effect.gen(function* () {
      const words = { DISABLE_BACKFILL: { on: true, by: "carol", at: 7, reason: "fire" } }
      yield* write({ ...untouched, version: 1, changed: "DISABLE_BACKFILL", words, nonce: "n" })
      const one = yield* board
      assert.isTrue(isOn(one.current(), "DISABLE_BACKFILL"), "it is known from the begin on")
      yield* one.board.turn(alice("DISABLE_BACKFILL", false))
      assert.deepStrictEqual(
        (yield* audited).map(({ at, by, on, version }) => [version, on, by, at]),
        [
          [1, true, "carol", 7],
          [2, false, "alice", 0]
        ]
      )
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )

  it.effect("a record that this build can't read leaves the switches as they were, and is not written over", () =>
    Effect.gen(function* () {
      const one = yield* board
      yield* one.board.turn(alice("DISABLE_BACKFILL", true))
      yield* write({ format: 2 })
      yield* TestClock.adjust("20 seconds")
      assert.isTrue(isOn(one.current(), "DISABLE_BACKFILL"))
      const failure = yield* Effect.flip(one.board.turn(alice("DISABLE_BACKFILL", false)))
      assert.strictEqual(failure._tag, "MeshUnavailable")
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )

  it.effect("names that a build does not know are kept", () =>
    Effect.gen(function* () {
      const words = { of_tomorrow: { on: true, by: "carol", at: 7, reason: "new" } }
      yield* write({ ...untouched, version: 1, changed: "of_tomorrow", words, nonce: "n" })
      const one = yield* board
      const { record } = yield* one.board.turn(alice("DISABLE_BACKFILL", true))
      assert.containSubset(record.words, words)
      assert.deepStrictEqual(turned(record), ["DISABLE_BACKFILL"])
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )

  it.effect("what was announced to nobody is found by looking", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const deaf = Mesh.of({ ...mesh, subscribe: () => Effect.void })
      const one = yield* Effect.provideService(board, Mesh, deaf)
      const other = yield* board
      yield* other.board.turn(alice("DISABLE_BACKFILL", true))
      assert.isFalse(isOn(one.current(), "DISABLE_BACKFILL"))
      yield* eventually(() => isOn(one.current(), "DISABLE_BACKFILL"))
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )
})
