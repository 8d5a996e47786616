/**
 * Does a window have one worker at a time whose word counts, whoever dies, sleeps or hears no answer?
 *
 * Three hosts claim, renew and end the jobs of two windows over one store. A host that was overtaken, or taken for
 * dead, goes on and writes late; the model counts the writes of each record.
 */
import * as fc from "fast-check"
import { assert, it } from "@effect/vitest"
import { Effect, Layer, Option, Result } from "effect"
import { TestClock } from "effect/testing"
import { BackfillCoordinator, type Held, layer } from "../../../actors/backfill/BackfillCoordinator.ts"
import { planJob } from "../../../actors/coverage/planJobs.ts"
import { type BackfillJob, jobId } from "../../../protocol/history/BackfillJob.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { readJob, writeJob } from "../../../protocol/messages/Backfill.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import { keySubject } from "../../../protocol/wire/StreamSpec.ts"
import { monotonicMs } from "../../../runtime/Deadline.ts"
import * as Invariants from "../../../runtime/Invariants.ts"
import { LiveHosts } from "../../../runtime/LiveHosts.ts"
import { randomId } from "../../../runtime/randomId.ts"
import { jobOf, series } from "../../support/jobs.ts"
import * as Model from "../../support/models/LeaseModel.ts"
import { type Move, modelLaw, settled } from "../../support/models/modelLaw.ts"
import { isSilent, makeTroubledMesh, takesEffect, type Trouble, trouble } from "../../support/models/troubledMesh.ts"

const hosts = ["host-a", "host-b", "host-c"] as const
const keys = ["s.0", "s.1"] as const
const leaseMs = 3000
const barsMax = 12
const keyOf = (windowStart: number) => `s.${windowStart}`
const subjectOf = (key: string) => keySubject(Stream.jobs, key)

const setOf = (bars: Iterable<number>) => RangeSet.make(Array.from(bars, (bar) => [bar, bar + 1] as const))
const barsIn = (ranges: RangeSet.RangeSet): ReadonlyArray<number> =>
  toPairs(ranges).flatMap(([start, end]) => Array.from({ length: end - start }, (_, index) => start + index))

const makeReal = Effect.gen(function* () {
  const troubled = yield* makeTroubledMesh
  let stored: Array<BackfillJob> = []
  troubled.onStored(
    Stream.jobs.name,
    subjectOf(""),
    (value) => void stored.push(Option.getOrThrow(readJob(Option.some(value))))
  )
  const dead = new Set<string>()
  const coordinatorOf = (incarnation: string) =>
    Effect.provide(
      Effect.service(BackfillCoordinator),
      layer().pipe(
        Layer.provide(troubled.layer),
        Layer.provide(
          Layer.succeed(LiveHosts, {
            incarnation,
            isDead: (other) => Effect.sync(() => dead.has(other)),
            isValid: Effect.succeed(true)
          })
        )
      )
    )
  const coordinators = new Map<string, BackfillCoordinator["Service"]>()
  for (const host of hosts) coordinators.set(host, yield* coordinatorOf(host))
  return {
    ...troubled,
    /** Every record that was stored, in order. */
    stored: () => stored,
    /** A record that had its time is followed by one that counts from the start. */
    forget: (key: string) => {
      stored = stored.filter(({ windowStart }) => key !== keyOf(windowStart))
    },
    dead,
    coordinator: (host: string) => coordinators.get(host)!,
    /** By host and window. */
    hands: new Map<string, Held>(),
    standing: (key: string) =>
      Effect.map(Effect.orDie(troubled.mesh.read(Stream.jobs.name, subjectOf(key))), (found) => ({
        job: Option.getOrUndefined(readJob(Option.flatMap(found, ({ value }) => value))),
        revision: Option.match(found, { onNone: () => 0, onSome: ({ revision }) => revision })
      }))
  }
})

type Real = Effect.Success<typeof makeReal>
type LeaseMove = Move<Model.LeaseModel, Real>

const shown = (record: Model.LeaseRecord | undefined) =>
  record && {
    state: record.state,
    run: record.run,
    fence: record.fence,
    renewals: record.renewals,
    holder: record.holder,
    done: [...record.done].toSorted((a, b) => a - b)
  }

const shownJob = (job: BackfillJob | undefined) =>
  job && {
    state: job.state,
    run: job.run,
    fence: job.fence,
    renewals: job.renewals,
    holder: job.lease?.holder,
    done: barsIn(job.completedRanges)
  }

/** One run of a window after another, each ended once at most, with fences that only rise. */
const claimOrder = (key: string, stored: ReadonlyArray<BackfillJob>): void => {
  const ofKey = stored.filter(({ windowStart }) => key === keyOf(windowStart))
  for (const field of ["run", "fence"] as const) {
    const values = ofKey.map((job) => job[field])
    assert.deepStrictEqual(
      values,
      values.toSorted((a, b) => a - b),
      `${field} of ${key}`
    )
  }
  const ended = ofKey.filter(({ state }) => state === "SUCCEEDED" || state === "FAILED").map(jobId)
  assert.deepStrictEqual([...new Set(ended)], ended, `runs of ${key} that ended`)
}

const claimAll = Effect.fnUntraced(function* (model: Model.LeaseModel, real: Real) {
  for (const key of keys) {
    const { job } = yield* real.standing(key)
    assert.deepStrictEqual(shownJob(job), shown(model.records.get(key)), key)
    claimOrder(key, real.stored())
  }
})

const aHost = fc.constantFrom(...hosts)
const aKey = fc.constantFrom(...keys)
const bars = fc.uniqueArray(fc.nat(barsMax - 1), { minLength: 1, maxLength: barsMax })

const open = fc.tuple(aKey, bars).map(([key, wanted]): LeaseMove => ({
  name: `open(${key}, ${wanted.join(",")})`,
  isPossible: ({ records }) => !records.has(key) || Model.isOver(records.get(key)!),
  make: Effect.fnUntraced(function* (model, real) {
    const { job, revision } = yield* real.standing(key)
    const demand = {
      series,
      sources: ["binance"],
      jobClass: "interactive",
      cause: "",
      traceParent: "",
      nonce: yield* randomId,
      nowMs: Infinity,
      generationOf: () => 0
    } as const
    const windowStart = Number(key.slice(2))
    const plan = planJob(demand, { windowStart, ranges: setOf(wanted) }, job && { job, revision })
    assert(plan.action === "write")
    yield* Effect.orDie(real.mesh.write(subjectOf(key), writeJob(plan.job), { expect: plan.expect }))
    real.stored().push(plan.job)
    Model.open(model, key, new Set(wanted))
    yield* claimAll(model, real)
  })
}))

const hold = (model: Model.LeaseModel, real: Real, host: string, held: Held): void => {
  real.hands.set(Model.pair(host, held.key), held)
  model.hands.set(Model.pair(host, held.key), model.records.get(held.key)!.writes)
}

const makeClaim = Effect.fnUntraced(function* (
  model: Model.LeaseModel,
  real: Real,
  { during, host, key }: { readonly host: string; readonly key: string; readonly during: Trouble }
) {
  const expected = Model.ask(model, host, { key, nowMs: yield* monotonicMs })
  const claimed = yield* Effect.result(
    real.during(during, subjectOf(""))(settled(real.coordinator(host).claim(key, leaseMs)))
  )
  if (expected === "Held" && takesEffect(during)) Model.claim(model, host, key, leaseMs)
  if (Result.isFailure(claimed)) {
    assert.isTrue(expected === "Held" && isSilent(during), "it could be known what became of the claim")
  } else {
    assert.strictEqual(claimed.success._tag, expected)
    if (claimed.success._tag === "Held") hold(model, real, host, claimed.success.held)
  }
  yield* claimAll(model, real)
})

const claim = fc.tuple(aHost, aKey, trouble).map(([host, key, during]): LeaseMove => ({
  name: `${host} claims ${key} (${during})`,
  make: (model, real) => makeClaim(model, real, { host, key, during })
}))

/** About as long as a lease lasts. */
const vigil = fc.constantFrom(leaseMs - 500, leaseMs, leaseMs + 1, leaseMs + 500)

const watch = fc.tuple(aHost, aKey, vigil).map(([host, key, ms]): LeaseMove => ({
  name: `${host} claims ${key}, and again after ${ms} ms`,
  make: Effect.fnUntraced(function* (model, real) {
    yield* makeClaim(model, real, { host, key, during: "none" })
    yield* TestClock.adjust(ms)
    yield* makeClaim(model, real, { host, key, during: "none" })
  })
}))

const claimFollowing = fc.tuple(aHost, trouble).map(([host, during]): LeaseMove => ({
  name: `${host} claims what follows (${during})`,
  make: Effect.fnUntraced(function* (model, real) {
    const expected = keys.filter((key) => Model.follows(model, key))
    for (const key of expected) model.seen.delete(Model.pair(host, key))
    const claimed = yield* Effect.result(
      real.during(during, subjectOf(""))(settled(real.coordinator(host).claimFollowing(keys, leaseMs)))
    )
    if (takesEffect(during)) for (const key of expected) Model.claim(model, host, key, leaseMs)
    if (Result.isFailure(claimed)) assert.isTrue(expected.length > 0 && isSilent(during))
    else {
      assert.deepStrictEqual(claimed.success.map(({ key }) => key).toSorted(), expected)
      for (const held of claimed.success) hold(model, real, host, held)
    }
    yield* claimAll(model, real)
  })
}))

const endings = ["renew", "release", "complete", "fail"] as const

const end = fc
  .tuple(aHost, aKey, fc.constantFrom(...endings, "renew" as const), bars, trouble)
  .map(([host, key, ending, brought, during]): LeaseMove => ({
    name: `${host} would ${ending} ${key} with ${brought.join(",")} (${during})`,
    isPossible: ({ hands }) => hands.has(Model.pair(host, key)),
    make: Effect.fnUntraced(function* (model, real) {
      const held = real.hands.get(Model.pair(host, key))!
      const coordinator = real.coordinator(host)
      const progress = { completed: setOf(brought), coverageVersion: 1, requests: 1, passedOver: [] }
      const failure = { tag: "SourceUnavailable", message: "down", source: "binance" }
      const act = {
        renew: Effect.map(coordinator.renew(held), (renewed) => void real.hands.set(Model.pair(host, key), renewed)),
        release: coordinator.release(held),
        complete: coordinator.complete(held, progress),
        fail: coordinator.fail(held, progress, { failure, retryAfterMs: 0 })
      }[ending]
      const mayWrite = Model.mayWrite(model, host, key)
      const { job: before } = yield* real.standing(key)
      // what a holder has completed it may complete again: nothing changes by it
      const isRepeat =
        ending === "complete" &&
        before?.state === "SUCCEEDED" &&
        before.run === held.job.run &&
        before.fence === held.job.fence
      const outcome = yield* Effect.result(real.during(during, subjectOf(""))(settled(act)))
      if (mayWrite && takesEffect(during)) {
        Model.write(model, key, ending, brought)
      }
      if (Result.isFailure(outcome)) {
        // whoever is late is told so, or hears nothing at all
        assert.strictEqual(outcome.failure._tag, isSilent(during, !mayWrite) ? "MeshUnavailable" : "LeaseLost")
        assert.isTrue(!mayWrite || isSilent(during))
      } else {
        assert.isTrue(mayWrite || isRepeat, "a late holder was not told")
        if (ending === "renew") model.hands.set(Model.pair(host, key), model.records.get(key)!.writes)
      }
      yield* claimAll(model, real)
    })
  }))

const pass = fc.integer({ min: 1, max: 16 }).map((quarters): LeaseMove => ({
  name: `${quarters * 250} ms pass`,
  make: () => TestClock.adjust(quarters * 250)
}))

const passWeek = fc.constant<LeaseMove>({
  name: "a week passes",
  make: (model, real) =>
    Effect.sync(() => Model.expire(model).forEach(real.forget)).pipe(
      Effect.andThen(TestClock.adjust("8 days")),
      Effect.andThen(claimAll(model, real))
    )
})

const die = aHost.map((host): LeaseMove => ({
  name: `${host} is taken for dead`,
  isPossible: ({ dead }) => dead.size < 1,
  make: ({ dead }, real) =>
    Effect.sync(() => {
      dead.add(host)
      real.dead.add(host)
    })
}))

it.effect("renew() of a holder that was away until the record of its run had its time says that it is late", () =>
  Effect.gen(function* () {
    const real = yield* makeReal
    const violations = Invariants.make()
    const [late, other] = [real.coordinator("host-a"), real.coordinator("host-b")]
    yield* real.mesh.write(subjectOf("s.0"), writeJob(jobOf()), { expect: 0 })
    const held = yield* late.claim("s.0", leaseMs)
    real.dead.add("host-a")
    const taken = yield* other.claim("s.0", leaseMs)
    assert(held._tag === "Held" && taken._tag === "Held")
    const progress = { completed: RangeSet.of(0, 100), coverageVersion: 1, requests: 1, passedOver: [] }
    yield* other.complete(taken.held, progress)
    yield* TestClock.adjust("8 days")
    const outcome = yield* Effect.result(
      settled(Effect.provideService(late.renew(held.held), Invariants.Invariants, violations))
    )
    assert.strictEqual(Result.isFailure(outcome) ? outcome.failure._tag : "renewed", "LeaseLost")
    assert.deepStrictEqual(violations.counts(), {})
  })
)

modelLaw("BackfillCoordinator lets one holder of a run end it, and tells all others that they are late", {
  begin: Effect.map(makeReal, (real) => ({ model: Model.make(), real })),
  moves: [open, open, claim, claim, claimFollowing, watch, watch, end, end, end, end, pass, passWeek, die],
  numRuns: 100,
  movesMax: 40
})
