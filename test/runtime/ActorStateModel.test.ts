/**
 * Is an actor's record written by whoever wrote it last, and by nobody else, whatever gets lost on the way?
 *
 * Activations of several hosts open, save and are overtaken, while writes lose their answers; the model is a counter of
 * writes.
 */
import * as fc from "fast-check"
import { Effect, Option, Result, Schema } from "effect"
import { assert } from "vitest"
import * as Codec from "../../protocol/wire/Codec.ts"
import type { StateRecord } from "../../protocol/wire/StateRecord.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import { keySubject } from "../../protocol/wire/StreamSpec.ts"
import * as ActorState from "../../runtime/ActorState.ts"
import * as Model from "../support/models/ActivationModel.ts"
import { type Move, modelLaw, settled } from "../support/models/modelLaw.ts"
import { isSilent, makeTroubledMesh, takesEffect, trouble } from "../support/models/troubledMesh.ts"

const Count = Schema.Struct({ count: Schema.Int })
type Count = typeof Count.Type

const key = "t.k"
const subject = keySubject(Stream.actors, key)

const makeReal = Effect.gen(function* () {
  const troubled = yield* makeTroubledMesh
  const activations: Array<ActorState.ActorState<Count>> = []
  const epochs: Array<number> = []
  troubled.onStored(Stream.actors.name, subject, (value) => {
    epochs.push((Option.getOrThrow(Codec.fromJson(value)) as StateRecord).epoch)
  })
  return {
    ...troubled,
    /** The epochs of all that was stored, in order. */
    epochs,
    activations,
    open: (slotEpoch: number) =>
      ActorState.open({
        bucket: Stream.actors,
        key,
        slot: "7",
        slotEpoch,
        owner: `host-${slotEpoch}`,
        form: Count,
        initial: { count: 0 }
      }).pipe(Effect.provide(troubled.layer)),
    record: Effect.map(Effect.orDie(troubled.mesh.read(Stream.actors.name, subject)), (stored) =>
      Option.getOrUndefined(
        Option.map(
          Option.flatMap(stored, ({ value }) => value),
          (value) => Option.getOrThrow(Codec.fromJson(value)) as StateRecord
        )
      )
    )
  }
})

type Real = Effect.Success<typeof makeReal>

/** What stands is what the model says, and epochs never went back. */
const claim = ({ epoch, slotEpoch, value, writes }: Model.ActivationModel, real: Real) =>
  Effect.map(real.record, (record) => {
    const stored = { epoch: record?.epoch, slotEpoch: record?.slotEpoch, state: record?.state }
    if (writes === 0) assert.isUndefined(record)
    else assert.deepStrictEqual(stored, { epoch, slotEpoch, state: { count: value } })
    assert.deepStrictEqual(
      real.epochs,
      real.epochs.toSorted((a, b) => a - b)
    )
  })

const open = fc
  .record({ slotEpoch: fc.integer({ min: 1, max: 4 }), during: trouble })
  .map(({ during, slotEpoch }): Move<Model.ActivationModel, Real> => ({
    name: `open(slotEpoch ${slotEpoch}, ${during})`,
    make: Effect.fnUntraced(function* (model, real) {
      const isLater = model.writes > 0 && model.slotEpoch > slotEpoch
      const opened = yield* Effect.result(real.during(during, subject)(settled(real.open(slotEpoch))))
      if (!isLater && takesEffect(during)) assert.isTrue(Model.stamp(model, slotEpoch))
      if (Result.isFailure(opened)) {
        // who is fenced at the first look writes nothing that could be lost
        assert.strictEqual(opened.failure._tag, isLater ? "Fenced" : "MeshUnavailable")
        assert.isTrue(isLater || isSilent(during))
      } else {
        const activation = real.activations.push(opened.success) - 1
        model.living.set(activation, model.writes)
        assert.strictEqual(opened.success.epoch, model.epoch)
        assert.deepStrictEqual(opened.success.current(), { count: model.value })
      }
      yield* claim(model, real)
    })
  }))

const openTogether = fc.integer({ min: 2, max: 4 }).map((count): Move<Model.ActivationModel, Real> => ({
  name: `open(${count} at once)`,
  make: Effect.fnUntraced(function* (model, real) {
    const all = Array.from({ length: count }, () => Effect.orDie(real.open(4)))
    const opened = yield* settled(Effect.all(all, { concurrency: "unbounded" }))
    for (const each of opened.toSorted((a, b) => a.epoch - b.epoch)) {
      assert.isTrue(Model.stamp(model, 4))
      assert.strictEqual(each.epoch, model.epoch)
      model.living.set(real.activations.push(each) - 1, model.writes)
    }
    yield* claim(model, real)
  })
}))

const save = fc
  .record({ rank: fc.nat(5), value: fc.integer({ min: 1, max: 99 }), during: trouble })
  .map(({ during, rank, value }): Move<Model.ActivationModel, Real> => ({
    name: `save(${value} by the latest but ${rank}, ${during})`,
    isPossible: ({ living }) => living.size > 0,
    make: Effect.fnUntraced(function* (model, real) {
      const activation = [...model.living.keys()].at(-1 - (rank % model.living.size))!
      const state = real.activations[activation]!
      const isNewest = model.living.get(activation) === model.writes
      const saved = yield* Effect.result(real.during(during, subject)(settled(state.save({ count: value }))))
      if (takesEffect(during)) assert.strictEqual(Model.save(model, activation, value), isNewest)
      if (Result.isSuccess(saved)) {
        assert.isTrue(isNewest)
        model.living.set(activation, model.writes)
        assert.deepStrictEqual(state.current(), { count: value })
      } else {
        assert.strictEqual(saved.failure._tag, isSilent(during, !isNewest) ? "MeshUnavailable" : "Fenced")
        assert.isTrue(!isNewest || isSilent(during))
        model.living.delete(activation)
      }
      yield* claim(model, real)
    })
  }))

modelLaw("ActorState is written by whoever wrote it last, and each writer knows or steps down", {
  begin: Effect.map(makeReal, (real) => ({ model: Model.make(), real })),
  moves: [open, openTogether, save, save, save],
  numRuns: 100,
  movesMax: 30
})
