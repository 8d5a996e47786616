/**
 * Has a window one job, whoever demands and whoever works, and is no demand forgotten?
 *
 * Owners of a series demand bars of three windows while workers claim, end and overtake each other; owners are
 * replaced, and those before go on demanding. The model is one job a window.
 */
import * as fc from "fast-check"
import { assert, it } from "@effect/vitest"
import { Clock, Effect, Exit, Layer, Option, Result, Scope } from "effect"
import { TestClock } from "effect/testing"
import * as Coordinator from "../../../actors/backfill/BackfillCoordinator.ts"
import * as JobRecords from "../../../actors/coverage/JobRecords.ts"
import type { JobPlan } from "../../../actors/coverage/planJobs.ts"
import { type BackfillJob, isFinal } from "../../../protocol/history/BackfillJob.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { readJob } from "../../../protocol/messages/Backfill.ts"
import * as QueueSubject from "../../../protocol/wire/QueueSubject.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import { keySubject } from "../../../protocol/wire/StreamSpec.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import { LiveHosts } from "../../../runtime/LiveHosts.ts"
import { randomId } from "../../../runtime/randomId.ts"
import { series } from "../../support/jobs.ts"
import * as Model from "../../support/models/JobModel.ts"
import { type Move, modelLaw, settled } from "../../support/models/modelLaw.ts"
import { makeTroubledMesh, type Trouble, trouble } from "../../support/models/troubledMesh.ts"

const windows = [0, 100, 200] as const
/** Longer than any row of moves: a worker is overtaken by another, never by itself. */
const leaseMs = 1e12
const seriesKey = Subject.series(series.nodeId, series.interval)
const keyOf = (window: number) => Subject.window(seriesKey, window)
const subjectOf = (window: number) => keySubject(Stream.jobs, keyOf(window))
const jobsPrefix = keySubject(Stream.jobs, "")
const queuedOf = (window: number) =>
  QueueSubject.queuedJob({ jobClass: "interactive", partition: 0, windowKey: keyOf(window) })

const setOf = (bars: Iterable<number>) => RangeSet.make(Array.from(bars, (bar) => [bar, bar + 1] as const))
const barsIn = (ranges: RangeSet.RangeSet): ReadonlySet<number> =>
  new Set(toPairs(ranges).flatMap(([start, end]) => Array.from({ length: end - start }, (_, index) => start + index)))

/** A worker for whom every other is dead, so that it may overtake any. */
const workerOf = (incarnation: string) => {
  const alone = { incarnation, isDead: (other: string) => Effect.succeed(other !== incarnation) }
  return Effect.provide(
    Effect.service(Coordinator.BackfillCoordinator),
    Layer.provide(
      Coordinator.layer({ attempts: Model.attemptsMax }),
      Layer.succeed(LiveHosts, { ...alone, isValid: Effect.succeed(true) })
    )
  )
}

const makeReal = Effect.gen(function* () {
  const troubled = yield* makeTroubledMesh
  let stored: Array<BackfillJob> = []
  troubled.onStored(Stream.jobs.name, jobsPrefix, (value) => {
    stored.push(Option.getOrThrow(readJob(Option.some(value))))
  })
  const open = Effect.gen(function* () {
    const scope = yield* Scope.make()
    const nobodyDies = { incarnation: "owner", isDead: () => Effect.succeed(false), isValid: Effect.succeed(true) }
    const jobs = yield* JobRecords.open(series).pipe(
      Effect.provide(troubled.layer),
      Effect.provideService(LiveHosts, nobodyDies),
      Scope.provide(scope),
      Effect.orDie
    )
    return { ...jobs, end: Scope.close(scope, Exit.void) }
  })
  return {
    ...troubled,
    /** Every record that was stored, in order. */
    stored: () => stored,
    /** A record that had its time is followed by one that counts from the start. */
    forget: (window: number) => {
      stored = stored.filter(({ windowStart }) => windowStart !== window)
    },
    open,
    /** Those that own the series or did so before, the newest last. */
    owners: [yield* open],
    workers: yield* Effect.forEach(["host-a", "host-b"], (host) => Effect.provide(workerOf(host), troubled.layer)),
    /** By worker and window. */
    hands: new Map<string, Coordinator.Held>(),
    /** By window and nonce: the job that a record stands for. */
    meant: new Map<string, Model.WindowJob>(),
    standing: (window: number) =>
      Effect.map(Effect.orDie(troubled.mesh.read(Stream.jobs.name, subjectOf(window))), (found) =>
        Option.getOrUndefined(readJob(Option.flatMap(found, ({ value }) => value)))
      )
  }
})

type Real = Effect.Success<typeof makeReal>
type JobMove = Move<Model.JobModel, Real>

const inOrder = (bars: Iterable<number>) => [...bars].toSorted((a, b) => a - b)

const shown = ({ attempts, done, fence, generation, nextAttemptAt, run, state, wanted }: Model.WindowJob) => ({
  attempts,
  fence,
  generation,
  nextAttemptAt,
  run,
  state,
  wanted: inOrder(wanted),
  done: inOrder(done)
})

const shownRecord = (job: BackfillJob) => {
  const { attempts, completedRanges, fence, generation, nextAttemptAt, ranges, run, state } = job
  return {
    attempts,
    fence,
    generation,
    nextAttemptAt,
    run,
    state,
    wanted: inOrder(barsIn(ranges)),
    done: inOrder(barsIn(completedRanges))
  }
}

/** Runs and fences only grow, and each run ends once at most. */
const claimOrder = (window: number, stored: ReadonlyArray<BackfillJob>): void => {
  const ofWindow = stored.filter(({ windowStart }) => windowStart === window)
  for (const field of ["run", "fence"] as const)
    assert.deepStrictEqual(
      ofWindow.map((job) => job[field]),
      inOrder(ofWindow.map((job) => job[field]))
    )
  const ended = ofWindow.filter(isFinal).map(({ run }) => run)
  assert.deepStrictEqual([...new Set(ended)], ended, `runs of ${window} that ended`)
}

const claimAll = Effect.fnUntraced(function* (model: Model.JobModel, real: Real) {
  for (const window of windows) {
    const record = yield* real.standing(window)
    const job = model.jobs.get(window)
    assert.deepStrictEqual(record && shownRecord(record), job && shown(job), `window ${window}`)
    if (record !== undefined && job !== undefined) real.meant.set(`${window} ${record.nonce}`, job)
    claimOrder(window, real.stored())
  }
})

interface Want {
  readonly window: number
  readonly bars: ReadonlySet<number>
}

const someBars = fc.uniqueArray(fc.nat(9), { minLength: 1, maxLength: 5 })
const someWants = fc
  .uniqueArray(fc.record({ window: fc.constantFrom(...windows), bars: someBars }), {
    minLength: 1,
    maxLength: 3,
    selector: ({ window }) => window
  })
  .map((wants) => wants.map(({ bars, window }): Want => ({ window, bars: new Set(bars.map((bar) => window + bar)) })))

/** What came true of the demand for one window. */
const settle = (model: Model.JobModel, real: Real, { bars, window }: Want, came: { plan: JobPlan; nowMs: number }) => {
  const { nowMs, plan } = came
  const at = { nowMs, generation: Model.generationOf(model, window) }
  if (plan.action === "write") {
    // whatever was known: what is written is upon what stands
    const answer = Model.demand(model.jobs.get(window), bars, at)
    assert(answer.action === "write", `a record was written over one that is there to ${answer.action}`)
    model.jobs.set(window, answer.job)
    assert.isTrue(real.queued.has(queuedOf(window)), "what was opened is in the queue")
    return
  }
  // without a look at it, the record may be one that stood before
  const known = real.meant.get(`${window} ${plan.job.nonce}`)
  assert(known !== undefined, "a record that never stood")
  assert.strictEqual(plan.action, Model.demand(known, bars, at).action)
  if (plan.action === "follow") {
    assert.deepStrictEqual(inOrder(barsIn(plan.ranges)), inOrder([...bars].filter((bar) => !known.wanted.has(bar))))
  }
}

const asked = { series, sources: ["binance"], jobClass: "interactive", cause: "", traceParent: "" } as const

/** Everything of a window is wanted, whatever was brought. */
const standingIn = (model: Model.JobModel) => () =>
  Effect.succeed(({ windowStart: window }: { readonly windowStart: number }) => ({
    generation: Model.generationOf(model, window),
    wanted: RangeSet.of(window, window + 10)
  }))

/** The newest owner looks after the jobs: frees those whose lease has ended, and opens those again that are due. */
const lookAfter = Effect.fnUntraced(function* (model: Model.JobModel, real: Real) {
  const nowMs = yield* Clock.currentTimeMillis
  const found = yield* Effect.orDie(real.owners.at(-1)!.lookAfter(standingIn(model)))
  for (const window of windows) {
    const [job, record] = [model.jobs.get(window), yield* real.standing(window)]
    if (job === undefined || record === undefined) continue
    if (job.state === "RUNNING" && record.state === "EXPIRED") model.jobs.set(window, { ...job, state: "EXPIRED" })
    // what a late owner has opened is the business of the next look
    if (!Model.isDue(job, nowMs) || (model.elsewhere.has(window) && record.state === "FAILED")) continue
    model.jobs.set(window, Model.reopen(job, Model.generationOf(model, window)))
  }
  return found
})

interface DemandDraw {
  readonly wants: ReadonlyArray<Want>
  readonly isLate: boolean
  readonly isFresh: boolean
  readonly during: Trouble
}

const makeDemand = ({ during, isFresh, isLate, wants }: DemandDraw) =>
  Effect.fnUntraced(function* (model: Model.JobModel, real: Real) {
    const owner = real.owners.at(isLate ? 0 : -1)!
    const nowMs = yield* Clock.currentTimeMillis
    const generationOf = (window: number) => Model.generationOf(model, window)
    const nonce = yield* randomId
    if (isFresh) {
      const before = real.owners.at(-1)
      if (owner === before) {
        yield* lookAfter(model, real)
        // what it has opened again is what the demand may meet
        yield* claimAll(model, real)
      }
    }
    const outcome = yield* Effect.result(
      real.during(
        during,
        jobsPrefix
      )(
        settled(
          owner.demand(
            { ...asked, nonce, nowMs, generationOf },
            wants.map(({ bars, window }) => ({ windowStart: window, ranges: setOf(bars) }))
          )
        )
      )
    )
    const isElsewhere = isLate && real.owners.length > 1
    if (Result.isSuccess(outcome)) {
      for (const [index, plan] of outcome.success.entries()) {
        const want = wants[index]!
        if (isFresh && !isLate)
          assert.strictEqual(
            plan.action,
            Model.demand(model.jobs.get(want.window), want.bars, {
              nowMs,
              generation: generationOf(want.window)
            }).action
          )
        settle(model, real, want, { plan, nowMs })
        if (!isElsewhere) model.elsewhere.delete(want.window)
        else if (plan.action === "write") model.elsewhere.add(want.window)
      }
    } else {
      assert.notStrictEqual(during, "none")
      const { bars, window } = wants[0]!
      const answer = Model.demand(model.jobs.get(window), bars, { nowMs, generation: generationOf(window) })
      if (during === "answerLost" || during === "silentAfter") {
        assert(answer.action === "write")
        model.jobs.set(window, answer.job)
        if (isElsewhere) model.elsewhere.add(window)
      }
      yield* replaceOwner(model, real)
    }
    yield* claimAll(model, real)
  })

/** Another activation takes over: it looks at all records. */
const replaceOwner = (model: Model.JobModel, real: Real) =>
  Effect.map(real.open, (owner) => {
    real.owners.push(owner)
    model.elsewhere.clear()
  })

const demand = fc
  .record({ wants: someWants, isLate: fc.boolean(), isFresh: fc.boolean(), during: trouble })
  .map((draw): JobMove => {
    // of several windows, nobody could say whose write the trouble met
    const wants = draw.during === "none" ? draw.wants : draw.wants.slice(0, 1)
    const asked = wants.map(({ bars }) => [...bars].join(",")).join("; ")
    return {
      name: `${draw.isLate ? "the first" : "the newest"} owner, ${draw.isFresh ? "fresh" : "as it is"}, demands ${asked} (${draw.during})`,
      make: makeDemand({ ...draw, wants })
    }
  })

const look = fc.constant<JobMove>({
  name: "the newest owner looks after the jobs",
  make: Effect.fnUntraced(function* (model, real) {
    real.queued.clear()
    const { nextDueMs, open: found } = yield* lookAfter(model, real)
    const open = windows.filter((window) => Model.isOpen(model.jobs.get(window)))
    for (const window of found) assert.include(open, window)
    // what a late owner has opened is the business of the next look
    for (const window of open) if (!model.elsewhere.has(window)) assert.isTrue(found.has(window))
    for (const window of found) {
      if (Model.isWaiting(model.jobs.get(window))) assert.isTrue(real.queued.has(queuedOf(window)))
    }
    const dues = windows.flatMap((window) => model.jobs.get(window)?.nextAttemptAt ?? [])
    if (model.elsewhere.size === 0) assert.strictEqual(nextDueMs, dues.length === 0 ? undefined : Math.min(...dues))
    yield* claimAll(model, real)
  })
})

const replace = fc.constant<JobMove>({ name: "another owner takes over", make: replaceOwner })

const work = fc
  .record({
    worker: fc.nat(1),
    window: fc.constantFrom(...windows),
    does: fc.constantFrom("claim", "claim", "release", "complete", "fail"),
    bars: someBars
  })
  .map(({ bars, does, window, worker }): JobMove => ({
    name: `worker ${worker} would ${does} ${window} with ${bars.join(",")}`,
    isPossible: ({ jobs }) => jobs.has(window),
    make: Effect.fnUntraced(function* (model, real) {
      const { claim, complete, fail, release } = real.workers[worker]!
      const hand = `${worker} ${window}`
      const job = model.jobs.get(window)!
      if (does === "claim") {
        const isMine = (yield* real.standing(window))?.lease?.holder === `host-${"ab"[worker]}`
        const claimed = yield* Effect.orDie(claim(keyOf(window), leaseMs))
        assert.strictEqual(claimed._tag, Model.isOpen(job) ? (isMine ? "Taken" : "Held") : "Over")
        if (claimed._tag === "Held") {
          model.jobs.set(window, Model.claim(job))
          real.hands.set(hand, claimed.held)
        }
        return yield* claimAll(model, real)
      }
      const held = real.hands.get(hand)
      if (held === undefined) return
      const brought = new Set(bars.map((bar) => window + bar))
      const progress = { completed: setOf(brought), coverageVersion: 1, requests: 1, passedOver: [] }
      const failure = { tag: "SourceUnavailable", message: "down", source: "binance" }
      const act = {
        release: release(held),
        complete: complete(held, progress),
        fail: fail(held, progress, { failure, retryAfterMs: 0 })
      }[does]
      const before = yield* real.standing(window)
      const isNewest = before?.nonce === held.job.nonce
      // what a holder has completed it may complete again: nothing changes by it
      const isRepeat =
        does === "complete" &&
        before?.state === "SUCCEEDED" &&
        before.run === held.job.run &&
        before.fence === held.job.fence
      const outcome = yield* Effect.result(act)
      assert.strictEqual(Result.isSuccess(outcome), isNewest || isRepeat)
      if (isNewest) model.jobs.set(window, Model.end(job, does, brought, (yield* real.standing(window))!))
      yield* claimAll(model, real)
    })
  }))

const pass = fc.integer({ min: 1, max: 40 }).map((halves): JobMove => ({
  name: `${halves * 500} ms pass`,
  make: () => TestClock.adjust(halves * 500)
}))

const passWeek = fc.constant<JobMove>({
  name: "a week passes, and earlier owners with it",
  make: Effect.fnUntraced(function* (model, real) {
    for (const owner of real.owners.splice(0, real.owners.length - 1)) yield* owner.end
    for (const window of Model.expire(model)) real.forget(window)
    yield* TestClock.adjust("8 days")
    yield* claimAll(model, real)
  })
})

const deafen = fc.boolean().map((isDeaf): JobMove => ({
  name: isDeaf ? "changes are not heard of any more" : "changes are heard of again",
  make: (_, real) => Effect.sync(() => real.deafen(isDeaf))
}))

const invalidate = fc.constantFrom(...windows).map((window): JobMove => ({
  name: `the generation of ${window} is raised`,
  make: ({ generations }) => Effect.sync(() => void generations.set(window, (generations.get(window) ?? 0) + 1))
}))

it.effect("demand() opens a run where the one that is known has gone without a word", () =>
  Effect.gen(function* () {
    const real = yield* makeReal
    const owner = real.owners[0]!
    const worker = real.workers[0]!
    const wanted = [{ windowStart: 0, ranges: RangeSet.of(0, 10) }]
    const [first] = yield* owner.demand({ ...asked, nonce: "first", nowMs: 0, generationOf: () => 0 }, wanted)
    assert.strictEqual(first?.action, "write")
    real.deafen(true)
    const claimed = yield* worker.claim(keyOf(0), leaseMs)
    assert(claimed._tag === "Held")
    yield* worker.complete(claimed.held, {
      completed: RangeSet.empty,
      coverageVersion: 1,
      requests: 1,
      passedOver: []
    })
    yield* TestClock.adjust("8 days")
    const left = yield* owner.lookAfter(() => Effect.succeed(() => ({ generation: 0, wanted: RangeSet.empty })))
    assert.deepStrictEqual(left, { open: new Set<number>(), nextDueMs: undefined, isWhole: true })
    const nowMs = yield* Clock.currentTimeMillis
    const [again] = yield* owner.demand({ ...asked, nonce: "again", nowMs, generationOf: () => 0 }, wanted)
    assert.strictEqual(again?.action, "write")
    assert.strictEqual((yield* real.standing(0))?.state, "PENDING")
  })
)

modelLaw("JobRecords keeps one job a window, and whoever demands opens, joins, widens or follows it", {
  begin: Effect.map(makeReal, (real) => ({ model: Model.make(), real })),
  moves: [demand, demand, demand, demand, work, work, work, work, look, replace, pass, passWeek, deafen, invalidate],
  numRuns: 150,
  movesMax: 40
})
