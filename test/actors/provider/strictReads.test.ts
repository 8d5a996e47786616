/**
 * Does a strict read see every commit that was acknowledged before it began?
 *
 * Two hosts on one memory, one of which hears of no change: what it knows of the coverage is seconds old. Readers ask
 * it while another commits, and what they were told is judged as the history of one object.
 */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Deferred, Effect, Fiber } from "effect"
import * as Announcement from "../../../protocol/wire/Announcement.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import { keySubject } from "../../../protocol/wire/StreamSpec.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import { Mesh, type MeshShape } from "../../../runtime/Mesh.ts"
import { makeFaultyMesh } from "../../support/faultyMesh.ts"
import { counterModel, type CounterInput } from "../../support/history/counterModel.ts"
import { check } from "../../support/history/linearizability.ts"
import type { Operation } from "../../support/history/Operation.ts"
import * as LongSeries from "../../support/LongSeries.ts"

const commits = 12
const readers = 4
const { interval, nodeId } = LongSeries.series
const rootSubject = keySubject(Stream.coverage, Subject.series(nodeId, interval))

/** The port of a host that hears of no change of coverage. */
const deaf = (mesh: MeshShape): MeshShape => ({
  ...mesh,
  subscribe: (subject, handler, options) =>
    subject === Announcement.changed("coverage") ? Effect.void : mesh.subscribe(subject, handler, options)
})

const start = Effect.gen(function* () {
  const { faults, layer } = yield* makeFaultyMesh
  const mesh = yield* Effect.provide(Effect.service(Mesh), layer)
  const on = (hostId: string, port: MeshShape) =>
    Effect.provideService(LongSeries.start(LongSeries.configurationOf(), hostId), Mesh, port)
  return { faults, writer: yield* on("a", mesh), reader: yield* on("b", deaf(mesh)) }
})

type Noted = Operation<CounterInput, number>

/** What readers of the deaf host and one who commits were told. */
const historyOf = (consistency: "eventual" | "strict") =>
  Effect.gen(function* () {
    const { reader, writer } = yield* start
    const history: Array<Noted> = []
    const nowUs = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1000)
    const note = <E>(client: string, input: CounterInput, ask: Effect.Effect<number, E>) =>
      Effect.gen(function* () {
        const invokedAt = yield* nowUs
        const output = yield* ask
        history.push({ client, key: nodeId, invokedAt, completedAt: yield* nowUs, input, output })
      })
    const versionRead = (reads: number) =>
      reads % 2 === 0
        ? Effect.map(reader.read([0, 1], { consistency }), ({ meta }) => meta.coverageVersion)
        : Effect.map(reader.provider.coverage({ nodeId, interval, consistency }), (told) => told.coverageVersion)
    // what is read is covered from here on: nobody is told a version by the way of asking for a gap
    yield* note("w", { _tag: "add", amount: 1 }, writer.commit({ window: 0, minutes: [0], price: 1 }))
    yield* note("r", { _tag: "read" }, versionRead(0))
    const done = yield* Deferred.make<void>()
    const commitAll = Effect.gen(function* () {
      for (let window = 1; window < commits; window++) {
        yield* note("w", { _tag: "add", amount: 1 }, writer.commit({ window, minutes: [0], price: 1 }))
      }
      yield* Deferred.succeed(done, undefined)
    })
    const readOn = (client: string) =>
      Effect.gen(function* () {
        for (let reads = 0; reads < 4 || !(yield* Deferred.isDone(done)); reads++) {
          yield* note(client, { _tag: "read" }, versionRead(reads))
        }
      })
    const all = [commitAll, ...Array.from({ length: readers }, (_, index) => readOn(`r${index}`))]
    yield* Effect.all(all, { concurrency: "unbounded" })
    return history
  }).pipe(Effect.scoped)

describe("a strict read", () => {
  it.live("sees what was committed before it began, on a host that hears of nothing", () =>
    Effect.gen(function* () {
      const verdict = check(yield* historyOf("strict"), counterModel)
      assert.strictEqual(verdict._tag, "Linearizable", "explanation" in verdict ? verdict.explanation : "")
    })
  )

  it.live("is more than a read: without the owner's word the same history has no order", () =>
    Effect.gen(function* () {
      assert.strictEqual(check(yield* historyOf("eventual"), counterModel)._tag, "Violation")
    })
  )

  it.live("shares one write of the root with all who asked before it began, and makes no version", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { faults, reader, writer } = yield* start
        const version = yield* writer.commit({ window: 0, minutes: [0], price: 1 })
        const audit = () => faults.written.filter((subject) => subject.startsWith(Subject.audit(""))).length
        const writes = () => faults.written.filter((subject) => subject === rootSubject).length
        const [before, audited] = [writes(), audit()]
        const [isWriting, release] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
        faults.before = (subject) =>
          subject === rootSubject
            ? Effect.andThen(Deferred.succeed(isWriting, undefined), Deferred.await(release))
            : Effect.void
        const ask = reader.provider.coverage({ nodeId, interval, consistency: "strict" })
        const first = yield* Effect.forkChild(ask)
        yield* Deferred.await(isWriting)
        const asked = Array.from({ length: 32 }, () => ask)
        const others = yield* Effect.forkChild(Effect.all(asked, { concurrency: "unbounded" }))
        // nothing but turns is between them and the owner's mailbox
        yield* Effect.repeat(Effect.yieldNow, { times: 500 })
        yield* Deferred.succeed(release, undefined)
        const seen = [yield* Fiber.join(first), ...(yield* Fiber.join(others))]
        assert.deepStrictEqual(new Set(seen.map(({ coverageVersion }) => coverageVersion)), new Set([version]))
        // one for whom it was begun, and one for all who came while it was written
        assert.strictEqual(writes() - before, 2)
        assert.strictEqual(audit(), audited)
      })
    )
  )

  it.live("fails with a typed error, within the time for storage, where the owner can't write", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { faults, reader, writer } = yield* start
        yield* writer.commit({ window: 0, minutes: [0], price: 1 })
        faults.losesWrite = (subject) => subject === rootSubject
        const sla = { maxWaitStorageMs: 300, totalDeadlineMs: 5000, onViolation: "partial" }
        const startedAt = yield* Clock.currentTimeMillis
        const failure = yield* Effect.flip(reader.read([0, 1], { consistency: "strict", sla }))
        assert.include(["DeadlineExceeded", "ActorUnavailable", "ActorStopped"], failure._tag)
        assert.isBelow((yield* Clock.currentTimeMillis) - startedAt, 3000)
        const { meta } = yield* reader.read([0, 1], { sla })
        assert.strictEqual(meta.coverageVersion, 1)
      })
    )
  )

  it.live("is refused together with a point of the past", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { reader } = yield* start
        const both = { consistency: "strict", asOf: { version: 0 } }
        const failure = yield* Effect.flip(reader.read([0, 1], both))
        assert.containSubset(failure, { _tag: "InvalidRequest", field: "consistency" })
        const report = yield* Effect.flip(reader.provider.coverage({ nodeId, interval, ...both }))
        assert.containSubset(report, { _tag: "InvalidRequest", field: "consistency" })
      })
    )
  )
})
