/**
 * What must whoever coordinates backfills hold, whatever it keeps its records in?
 *
 * Two hosts over one store. The windows are a series' own for each claim, so that claims do not meet.
 */
import { assert, it } from "@effect/vitest"
import { Clock, Context, Effect, Layer, Option, type Scope } from "effect"
import * as Coordinator from "../../actors/backfill/BackfillCoordinator.ts"
import { reopen } from "../../actors/coverage/planJobs.ts"
import type { BackfillJob } from "../../protocol/history/BackfillJob.ts"
import { toPairs } from "../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import { type JobEvent, readJob, writeJob } from "../../protocol/messages/Backfill.ts"
import * as Codec from "../../protocol/wire/Codec.ts"
import type { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import * as QueueSubject from "../../protocol/wire/QueueSubject.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import { keySubject } from "../../protocol/wire/StreamSpec.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import { LiveHosts } from "../../runtime/LiveHosts.ts"
import { Mesh, type MeshShape } from "../../runtime/Mesh.ts"
import { jobOf } from "../support/jobs.ts"
import { untilTrue } from "../support/untilTrue.ts"

/** What the claims are made of. */
export interface CoordinatorClaims {
  readonly name: string
  /** Ways to one store, for two hosts. */
  readonly meshes: Effect.Effect<readonly [MeshShape, MeshShape], MeshUnavailable, Scope.Scope>
}

const leaseMs = 1000
const attemptsMax = 2
const failure = { tag: "SourceUnavailable", message: "down", source: "binance" }

type Service = Coordinator.BackfillCoordinator["Service"]

const coordinatorOf = (mesh: MeshShape, incarnation: string, dead: ReadonlySet<string>): Effect.Effect<Service> =>
  Effect.scoped(
    Effect.map(
      Layer.build(
        Coordinator.layer({ attempts: attemptsMax, baseMs: 10 }).pipe(
          Layer.provide(Layer.succeed(Mesh, Mesh.of(mesh))),
          Layer.provide(
            Layer.succeed(LiveHosts, {
              incarnation,
              isDead: (other) => Effect.sync(() => dead.has(other)),
              isValid: Effect.succeed(true)
            })
          )
        )
      ),
      (context) => Context.get(context, Coordinator.BackfillCoordinator)
    )
  )

const progressOf = (start: number, end: number) => ({
  completed: RangeSet.of(start, end),
  coverageVersion: 1,
  requests: 1,
  passedOver: []
})

let series = 0

/** Two coordinators, and one window of which a job waits. */
const makeWorld = Effect.fnUntraced(function* ({ meshes }: CoordinatorClaims) {
  const [mesh, other] = yield* meshes
  const dead = new Set<string>()
  const nodeId = `node-${++series}`
  const key = Subject.window(Subject.series(nodeId, "1m"), 0)
  const subject = keySubject(Stream.jobs, key)
  const opened = jobOf({ series: { nodeId, interval: "1m" }, generation: 3 })
  const events: Array<string> = []
  yield* mesh.subscribe(Subject.jobEvent("*", key), ({ data }) => {
    const event = Option.getOrThrow(Codec.fromJson(data)) as JobEvent
    events.push(`${event.event} ${event.run}`)
  })
  yield* mesh.write(subject, writeJob(opened), { expect: 0 })
  const queued = QueueSubject.queuedJob({ jobClass: opened.jobClass, partition: 0, windowKey: key })
  yield* mesh.enqueue(queued, new Uint8Array(0))
  const standing = Effect.map(mesh.read(Stream.jobs.name, subject), (stored) => ({
    job: Option.getOrThrow(readJob(Option.flatMap(stored, ({ value }) => value))),
    revision: Option.getOrThrow(stored).revision
  }))
  const [a, b] = [yield* coordinatorOf(mesh, "host-a", dead), yield* coordinatorOf(other, "host-b", dead)]
  const hold = (host: Service, forMs = leaseMs) =>
    Effect.map(host.claim(key, forMs), (claimed) => {
      assert(claimed._tag === "Held", claimed._tag)
      return claimed.held
    })
  const tagOf = (host: Service) => Effect.map(host.claim(key, leaseMs), ({ _tag }) => _tag)
  const put = (job: BackfillJob) =>
    Effect.flatMap(standing, ({ revision: expect }) => mesh.write(subject, writeJob(job), { expect }))
  return { mesh, a, b, dead, key, queued, events, standing, hold, tagOf, put }
})

type World = Effect.Success<ReturnType<typeof makeWorld>>

const lost = (outcome: Effect.Effect<unknown, Coordinator.LeaseLost | MeshUnavailable>) =>
  Effect.map(Effect.flip(outcome), (error) => assert.strictEqual(error._tag, "LeaseLost"))

/** Declares the claims. On the real clock. */
export const coordinatorSuite = (given: CoordinatorClaims): void => {
  const claim = (title: string, test: (world: World) => Effect.Effect<unknown, unknown, Scope.Scope>): void => {
    it.live(`${given.name}: ${title}`, () => Effect.scoped(Effect.flatMap(makeWorld(given), test)))
  }

  claim("claim() of a window that waits gives a lease to one of those who ask at once", ({ a, b, standing, tagOf }) =>
    Effect.gen(function* () {
      const tags = yield* Effect.all([tagOf(a), tagOf(b), tagOf(a), tagOf(b)], { concurrency: "unbounded" })
      assert.deepStrictEqual(tags.toSorted(), ["Held", "Taken", "Taken", "Taken"])
      const { job } = yield* standing
      assert.strictEqual(job.state, "RUNNING")
      assert.strictEqual(job.fence, 1)
    })
  )

  claim("claim() of a window without a job is over", ({ a }) =>
    Effect.map(a.claim("nobody.1m.0", leaseMs), ({ _tag }) => assert.strictEqual(_tag, "Over"))
  )

  claim("claim() that was planned upon another generation is refused, and takes nothing", ({ a, key, standing }) =>
    Effect.gen(function* () {
      const stale = yield* a.claim(key, leaseMs, { generation: 2 })
      assert.deepStrictEqual(stale, { _tag: "Stale", generation: 3 })
      assert.strictEqual((yield* standing).job.state, "PENDING")
      assert.strictEqual((yield* a.claim(key, leaseMs, { generation: 3 }))._tag, "Held")
    })
  )

  claim("complete() ends the run for everybody, and is told", ({ a, b, events, hold, mesh, queued, standing, tagOf }) =>
    Effect.gen(function* () {
      yield* a.complete(yield* hold(a), progressOf(0, 100))
      const { job } = yield* standing
      assert.strictEqual(job.state, "SUCCEEDED")
      assert.deepStrictEqual(toPairs(job.completedRanges), [[0, 100]])
      assert.strictEqual(yield* tagOf(b), "Over")
      assert.isTrue(Option.isNone(yield* mesh.read(Stream.queue.name, queued)))
      yield* untilTrue(
        "both are told",
        Effect.sync(() => events.length === 2)
      )
      assert.deepStrictEqual(events, ["claimed 1", "completed 1"])
    })
  )

  claim("complete() once more changes nothing", ({ a, hold, standing }) =>
    Effect.gen(function* () {
      const held = yield* hold(a)
      yield* a.complete(held, progressOf(0, 100))
      const before = yield* standing
      yield* a.complete(held, progressOf(0, 100))
      assert.strictEqual((yield* standing).revision, before.revision)
    })
  )

  claim("renew() keeps a lease for longer than its length", ({ a, b, hold, tagOf }) =>
    Effect.gen(function* () {
      let held = yield* hold(a)
      const sinceMs = yield* Clock.currentTimeMillis
      while ((yield* Clock.currentTimeMillis) - sinceMs < 2.5 * leaseMs) {
        assert.strictEqual(yield* tagOf(b), "Taken")
        yield* Effect.sleep(leaseMs / 4)
        held = yield* a.renew(held)
      }
      yield* a.complete(held, progressOf(0, 100))
    })
  )

  claim("claim() takes over a lease that nobody renews, and fences its holder out", ({ a, b, hold, standing, tagOf }) =>
    Effect.gen(function* () {
      const late = yield* hold(a)
      yield* untilTrue(
        "the lease has ended",
        Effect.map(tagOf(b), (tag) => tag === "Held")
      )
      const before = yield* standing
      assert.strictEqual(before.job.lease?.holder, "host-b")
      yield* lost(a.renew(late))
      yield* lost(a.complete(late, progressOf(0, 100)))
      yield* lost(a.fail(late, progressOf(0, 50), { failure, retryAfterMs: 0 }))
      yield* lost(a.release(late))
      assert.deepStrictEqual(yield* standing, before)
    })
  )

  claim("claim() takes over at once from a host that is dead", ({ a, b, dead, hold, tagOf }) =>
    Effect.gen(function* () {
      yield* hold(a, 600_000)
      assert.strictEqual(yield* tagOf(b), "Taken")
      dead.add("host-a")
      assert.strictEqual(yield* tagOf(b), "Held")
    })
  )

  claim("release() gives the job back: the next claim need not wait", ({ a, b, hold, standing, tagOf }) =>
    Effect.gen(function* () {
      yield* a.release(yield* hold(a, 600_000))
      assert.strictEqual((yield* standing).job.state, "PENDING")
      assert.strictEqual(yield* tagOf(b), "Held")
    })
  )

  claim("fail() keeps what was brought: the next run does only the rest", ({ a, b, events, hold, put, standing }) =>
    Effect.gen(function* () {
      yield* a.fail(yield* hold(a), progressOf(0, 60), { failure, retryAfterMs: 0 })
      const { job } = yield* standing
      assert.strictEqual(job.state, "FAILED")
      assert.isAbove(job.nextAttemptAt ?? 0, 0)
      assert.deepStrictEqual(toPairs(job.completedRanges), [[0, 60]])
      yield* put(reopen(job, { nonce: "again", generation: 4, wanted: RangeSet.of(0, 1000) }))
      const held = yield* hold(b)
      assert.deepStrictEqual(toPairs(held.job.ranges), [[60, 100]])
      assert.deepStrictEqual([held.job.run, held.job.attempts, held.job.generation], [2, 1, 4])
      yield* b.complete(held, progressOf(60, 100))
      yield* untilTrue(
        "all are told",
        Effect.sync(() => events.length === 4)
      )
      assert.deepStrictEqual(events, ["claimed 1", "failed 1", "claimed 2", "completed 2"])
    })
  )

  claim(
    "fail() too often sets the window aside: nobody gets it any more",
    ({ a, b, events, hold, put, standing, tagOf }) =>
      Effect.gen(function* () {
        yield* a.fail(yield* hold(a), progressOf(0, 0), { failure, retryAfterMs: 0 })
        yield* put(reopen((yield* standing).job, { nonce: "n", generation: 3, wanted: RangeSet.of(0, 100) }))
        yield* b.fail(yield* hold(b), progressOf(0, 0), { failure, retryAfterMs: 0, isAttempt: false })
        assert.strictEqual((yield* standing).job.state, "FAILED")
        yield* put(reopen((yield* standing).job, { nonce: "n", generation: 3, wanted: RangeSet.of(0, 100) }))
        yield* b.fail(yield* hold(b), progressOf(0, 0), { failure, retryAfterMs: 0 })
        const { job } = yield* standing
        assert.deepStrictEqual([job.state, job.attempts, job.nextAttemptAt], ["QUARANTINED", attemptsMax, null])
        assert.deepStrictEqual(job.failure, failure)
        assert.strictEqual(yield* tagOf(a), "Over")
        yield* untilTrue(
          "all are told",
          Effect.sync(() => events.at(-1) === "quarantined 3")
        )
      })
  )

  claim("claimFollowing() gives those that wait, and leaves alone what somebody has", ({ a, b, hold, key, standing }) =>
    Effect.gen(function* () {
      const held = yield* hold(a, 600_000)
      assert.deepStrictEqual(yield* b.claimFollowing([key], leaseMs), [])
      yield* a.release(held)
      const [taken] = yield* b.claimFollowing([key, "nobody.1m.7"], leaseMs)
      assert.strictEqual(taken?.job.lease?.holder, "host-b")
      assert.strictEqual((yield* standing).job.fence, 2)
    })
  )
}
