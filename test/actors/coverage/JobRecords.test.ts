/** Is there never a job that is open, and that nobody looks after? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import * as JobRecords from "../../../actors/coverage/JobRecords.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { readJob, writeJob } from "../../../protocol/messages/Backfill.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import { keySubject } from "../../../protocol/wire/StreamSpec.ts"
import { LiveHosts } from "../../../runtime/LiveHosts.ts"
import { Mesh } from "../../../runtime/Mesh.ts"
import { makeFaultyMesh, once } from "../../support/faultyMesh.ts"
import { series } from "../../support/jobs.ts"

const hosts = Layer.succeed(LiveHosts, {
  incarnation: "me",
  isDead: () => Effect.succeed(false),
  isValid: Effect.succeed(true)
})

const demand = {
  series,
  sources: ["binance"],
  jobClass: "verify",
  cause: "request-1",
  traceParent: "",
  nonce: "planned",
  nowMs: 0,
  generationOf: () => 0
} as const

const standing = () => Effect.succeed(() => ({ generation: 0, wanted: RangeSet.of(0, 10) }))

describe("lookAfter()", () => {
  it.effect("lookAfter() finds a job that was opened without an answer, and of which nobody has told", () =>
    Effect.gen(function* () {
      const { faults, layer } = yield* makeFaultyMesh
      const mesh = yield* Effect.provide(Effect.service(Mesh), layer)
      // what is told of changes does not come either
      const deaf = Mesh.of({ ...mesh, subscribe: () => Effect.void })
      const jobs = yield* JobRecords.open(series).pipe(Effect.provideService(Mesh, deaf), Effect.provide(hosts))
      faults.losesAck = once(keySubject(Stream.jobs, ""))
      const window = { windowStart: 0, ranges: RangeSet.of(0, 10) }
      assert.strictEqual((yield* Effect.flip(jobs.demand(demand, [window])))._tag, "MeshUnavailable")
      assert.deepStrictEqual(jobs.unfinished(), [])
      const { open } = yield* jobs.lookAfter(standing)
      assert.deepStrictEqual(Array.from(open), [0])
      const queued = yield* deaf.take(Stream.queue.name, "verify", { isPatient: false })
      assert.strictEqual(queued._tag, "Some")
    }).pipe(Effect.scoped)
  )

  it.effect("lookAfter() forgets about a job that was not opened", () =>
    Effect.gen(function* () {
      const { faults, layer } = yield* makeFaultyMesh
      const jobs = yield* JobRecords.open(series).pipe(Effect.provide(Layer.merge(layer, hosts)))
      faults.losesWrite = once(keySubject(Stream.jobs, ""))
      yield* Effect.flip(jobs.demand(demand, [{ windowStart: 0, ranges: RangeSet.of(0, 10) }]))
      const { open } = yield* jobs.lookAfter(standing)
      assert.strictEqual(open.size, 0)
    }).pipe(Effect.scoped)
  )

  it.effect("lookAfter() goes on with what stands where storage has given its revision before to another record", () =>
    Effect.gen(function* () {
      const { layer } = yield* makeFaultyMesh
      const mesh = yield* Effect.provide(Effect.service(Mesh), layer)
      let isRolledBack = false
      const rolledBack = Mesh.of({
        ...mesh,
        readMany: (stream, subjects) =>
          Effect.map(mesh.readMany(stream, subjects), (stored) =>
            stored.map((record) => ({
              ...record,
              value: isRolledBack
                ? Option.map(readJob(record.value), (job) => writeJob({ ...job, run: 4, nonce: "another" }))
                : record.value
            }))
          )
      })
      const jobs = yield* JobRecords.open(series).pipe(Effect.provideService(Mesh, rolledBack), Effect.provide(hosts))
      yield* jobs.demand(demand, [{ windowStart: 0, ranges: RangeSet.of(0, 10) }])
      isRolledBack = true
      yield* jobs.lookAfter(standing)
      assert.deepStrictEqual(
        jobs.unfinished().map(({ run }) => run),
        [4]
      )
    }).pipe(Effect.scoped)
  )
})
