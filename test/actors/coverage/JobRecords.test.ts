/** Is there never a job that is open, and that nobody looks after? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import { TestClock } from "effect/testing"
import * as JobRecords from "../../../actors/coverage/JobRecords.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { jobKey, readJob, writeJob } from "../../../protocol/messages/Backfill.ts"
import * as QueueSubject from "../../../protocol/wire/QueueSubject.ts"
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

/** A job that was opened, and how reads are from then on: as they were before it, or as they are. */
const openedOnce = Effect.gen(function* () {
  const { layer } = yield* makeFaultyMesh
  const mesh = yield* Effect.provide(Effect.service(Mesh), layer)
  const reads = { areOld: false }
  const told = Mesh.of({
    ...mesh,
    subscribe: () => Effect.void,
    read: (...of) => Effect.suspend(() => (reads.areOld ? Effect.succeedNone : mesh.read(...of))),
    readMany: (...of) => Effect.suspend(() => (reads.areOld ? Effect.succeed([]) : mesh.readMany(...of)))
  })
  const jobs = yield* JobRecords.open(series).pipe(Effect.provideService(Mesh, told), Effect.provide(hosts))
  yield* jobs.demand(demand, [{ windowStart: 0, ranges: RangeSet.of(0, 10) }])
  // who takes work reads as badly, and takes its entry for one of a job that is over
  const delivery = Option.getOrThrow(yield* mesh.take(Stream.queue.name, "verify", { isPatient: false }))
  yield* delivery.done
  reads.areOld = true
  const look = Effect.map(jobs.lookAfter(standing), ({ open }) => Array.from(open))
  return { jobs, look, mesh, reads }
})

describe("lookAfter() where reads are old", () => {
  it.effect("lookAfter() goes on with a job that one who was the leader does not know yet", () =>
    Effect.gen(function* () {
      const { look, mesh, reads } = yield* openedOnce
      for (let second = 0; second < 4; second++) {
        assert.deepStrictEqual(yield* look, [0])
        yield* TestClock.adjust("1 second")
      }
      reads.areOld = false
      assert.deepStrictEqual(yield* look, [0])
      const queued = yield* mesh.take(Stream.queue.name, "verify", { isPatient: false })
      assert.strictEqual(queued._tag, "Some")
    }).pipe(Effect.scoped)
  )

  it.effect("lookAfter() forgets a job that nobody has known for long: storage has lost it", () =>
    Effect.gen(function* () {
      const { jobs, look } = yield* openedOnce
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual([yield* look, jobs.unfinished()], [[], []])
    }).pipe(Effect.scoped)
  )

  it.effect("lookAfter() counts anew how long a job is not known once it was seen", () =>
    Effect.gen(function* () {
      const { look, reads } = yield* openedOnce
      for (const areOld of [true, false, true]) {
        reads.areOld = areOld
        assert.deepStrictEqual(yield* look, [0])
        yield* TestClock.adjust("4 seconds")
      }
      assert.deepStrictEqual(yield* look, [])
    }).pipe(Effect.scoped)
  )
})

describe("demand()", () => {
  it.effect("demand() opens what revises a window beside what fills it, whatever became of either", () =>
    Effect.gen(function* () {
      const { layer } = yield* makeFaultyMesh
      const mesh = yield* Effect.provide(Effect.service(Mesh), layer)
      const jobs = yield* JobRecords.open(series).pipe(Effect.provide(Layer.merge(layer, hosts)))
      const window = { windowStart: 0, ranges: RangeSet.of(0, 10) }
      const again = (source: string) => ({ ...demand, sources: [source], revises: source })
      const filling = { ...demand, jobClass: "bulk" } as const
      yield* jobs.demand(filling, [window])
      // it waits for a person
      yield* jobs.change({ windowStart: 0 }, (job) => ({ ...job, state: "QUARANTINED", nextAttemptAt: null }))
      const [first] = yield* jobs.demand(again("binance"), [window])
      const [second] = yield* jobs.demand(again("bybit"), [window])
      assert.deepStrictEqual([first?.action, second?.action], ["write", "write"])
      // nobody who misses something is told of those, or waits for them
      const [refused] = yield* jobs.demand(filling, [window])
      assert.deepInclude(refused, { action: "refuse" })
      assert.isUndefined(refused?.job.revises)
      const { open } = yield* jobs.lookAfter(standing)
      assert.deepStrictEqual(Array.from(open), [])
      assert.deepStrictEqual(
        jobs.unfinished().map(({ revises }) => revises),
        ["binance", "bybit"]
      )
      const queued = yield* Effect.all([0, 1].map(() => mesh.take(Stream.queue.name, "verify", { isPatient: false })))
      const keys = queued.flatMap(Option.toArray).map(({ subject }) => QueueSubject.queuedWindow(subject))
      assert.deepStrictEqual(new Set(keys), new Set(jobs.unfinished().map(jobKey)))
    }).pipe(Effect.scoped)
  )
})
