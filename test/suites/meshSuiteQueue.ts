/** What must the port to NATS hold of its queue, whatever is behind it? */
import { assert } from "@effect/vitest"
import { Effect, Fiber, Option } from "effect"
import * as QueueSubject from "../../protocol/wire/QueueSubject.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import { type Delivery, Mesh } from "../../runtime/Mesh.ts"
import { bytes, type Claim, fresh, timed, told } from "./meshSuiteTools.ts"

const jobClass = "interactive"

/** The queue, and entries that are gone with the claim. */
const queueOf = Effect.gen(function* () {
  const mesh = yield* Mesh
  const root = fresh()
  const subjectOf = (window: string) =>
    QueueSubject.queuedJob({ jobClass, partition: 0, windowKey: `${root}.${window}` })
  yield* Effect.addFinalizer(() => Effect.ignore(mesh.dequeue(Stream.queue.name, subjectOf(">"))))
  const take = mesh.take(Stream.queue.name, jobClass)
  /** What a take gives: the window, or nothing. */
  const windowOf = (taken: Option.Option<Delivery>): string | undefined =>
    Option.getOrUndefined(Option.map(taken, ({ subject }) => QueueSubject.queuedWindow(subject).slice(root.length + 1)))
  return {
    subjectOf,
    take,
    windowOf,
    takeNow: mesh.take(Stream.queue.name, jobClass, { isPatient: false }),
    takeOne: Effect.map(take, Option.getOrThrow),
    takeWindow: Effect.map(take, windowOf),
    /** Takes until there is something. */
    takeSome: take.pipe(Effect.repeat({ until: Option.isSome, times: 12 }), Effect.map(Option.getOrThrow)),
    enqueue: (window: string) => mesh.enqueue(subjectOf(window), bytes(window)),
    dequeue: (window: string) => mesh.dequeue(Stream.queue.name, subjectOf(window)),
    nothingFor: (seconds: number) =>
      Effect.gen(function* () {
        for (let at = 0; at < seconds; at++) assert.strictEqual(windowOf(yield* take), undefined)
      })
  }
})

const takeClaims = (claim: Claim): void => {
  claim("take() of an empty queue waits about a second, and gives none", () =>
    Effect.gen(function* () {
      const { takeWindow } = yield* queueOf
      const { tookMs, value } = yield* timed(takeWindow)
      assert.strictEqual(value, undefined)
      assert.isAtLeast(tookMs, 900)
      assert.isAtMost(tookMs, 2500)
    })
  )

  claim("take() gives each work once, in the order in which it came", () =>
    Effect.gen(function* () {
      const { enqueue, nothingFor, takeWindow } = yield* queueOf
      for (const window of ["a", "b", "c"]) yield* enqueue(window)
      assert.deepStrictEqual([yield* takeWindow, yield* takeWindow, yield* takeWindow], ["a", "b", "c"])
      yield* nothingFor(1)
    })
  )

  claim("take() of who is not patient gives what is there, and of an empty queue none, at once", () =>
    Effect.gen(function* () {
      const { enqueue, takeNow, windowOf } = yield* queueOf
      const { tookMs, value } = yield* timed(takeNow)
      assert.isTrue(Option.isNone(value))
      assert.isAtMost(tookMs, 500)
      yield* enqueue("a")
      yield* enqueue("b")
      assert.strictEqual(windowOf(yield* takeNow), "a")
      assert.strictEqual(windowOf(yield* takeNow), "b")
      assert.isTrue(Option.isNone(yield* takeNow))
    })
  )

  claim("take() of who is not patient gives none while others wait", () =>
    Effect.gen(function* () {
      const { take, takeNow } = yield* queueOf
      const waiting = yield* Effect.forkChild(take, { startImmediately: true })
      yield* Effect.sleep(100)
      assert.isTrue(Option.isNone(yield* takeNow))
      assert.isTrue(Option.isNone(yield* Fiber.join(waiting)))
    })
  )

  claim("done() removes what was taken, patiently or not; another may be put in its place", () =>
    Effect.gen(function* () {
      const { enqueue, nothingFor, takeNow, takeOne, takeWindow } = yield* queueOf
      yield* enqueue("a")
      yield* enqueue("b")
      yield* (yield* takeOne).done
      yield* Option.getOrThrow(yield* takeNow).done
      // longer than what is lost stays away
      yield* nothingFor(5)
      yield* enqueue("a")
      assert.strictEqual(yield* takeWindow, "a")
    })
  )

  claim("later() of what was taken without patience brings it back soon", () =>
    Effect.gen(function* () {
      const { enqueue, takeNow, takeSome } = yield* queueOf
      yield* enqueue("a")
      const given = Option.getOrThrow(yield* takeNow)
      yield* given.later
      const { tookMs, value } = yield* timed(takeSome)
      assert.strictEqual(value.subject, given.subject)
      assert.isAtMost(tookMs, 2500)
    })
  )

  claim("working() keeps what was taken without patience", () =>
    Effect.gen(function* () {
      const { enqueue, nothingFor, takeNow } = yield* queueOf
      yield* enqueue("a")
      const kept = Option.getOrThrow(yield* takeNow)
      yield* Effect.repeat(Effect.delay(kept.working, 1500), { times: 2 })
      yield* nothingFor(1)
    })
  )

  claim("take() of several at once gives each something else", () =>
    Effect.gen(function* () {
      const { enqueue, takeWindow } = yield* queueOf
      const windows = ["a", "b", "c", "d", "e", "f"]
      for (const window of windows) yield* enqueue(window)
      const taken = yield* Effect.all(
        windows.map(() => takeWindow),
        { concurrency: "unbounded" }
      )
      assert.sameMembers(taken, windows)
    })
  )

  claim("take() that waits gets what comes, and what comes next goes to the next who waits", () =>
    Effect.gen(function* () {
      const { enqueue, takeWindow } = yield* queueOf
      const taking = Effect.all([takeWindow, takeWindow], { concurrency: 2 })
      const waiting = yield* Effect.forkChild(taking, { startImmediately: true })
      yield* enqueue("a")
      yield* enqueue("b")
      assert.sameMembers(yield* Fiber.join(waiting), ["a", "b"])
    })
  )

  claim("take() that is given up loses no work", () =>
    Effect.gen(function* () {
      const { enqueue, take, takeSome, windowOf } = yield* queueOf
      const waiting = yield* Effect.forkChild(take, { startImmediately: true })
      yield* Effect.sleep(100)
      yield* Fiber.interrupt(waiting)
      yield* enqueue("a")
      assert.strictEqual(windowOf(Option.some(yield* takeSome)), "a")
    })
  )
}

const subjectClaims = (claim: Claim): void => {
  claim("enqueue() of what is there, taken or not, is as good, and adds nothing", () =>
    Effect.gen(function* () {
      const { enqueue, nothingFor, takeWindow } = yield* queueOf
      yield* enqueue("a")
      yield* enqueue("a")
      assert.strictEqual(yield* takeWindow, "a")
      yield* enqueue("a")
      yield* nothingFor(1)
    })
  )

  claim("read() gives work that is queued, taken or not; write() does not replace it", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const { dequeue, enqueue, subjectOf, takeWindow } = yield* queueOf
      const reading = Effect.map(mesh.read(Stream.queue.name, subjectOf("a")), told)
      yield* enqueue("a")
      assert.strictEqual(yield* reading, "a")
      assert.strictEqual((yield* Effect.flip(mesh.write(subjectOf("a"), bytes("b"))))._tag, "MeshUnavailable")
      const upon = mesh.write(subjectOf("a"), bytes("b"), { expect: 0 })
      assert.strictEqual((yield* Effect.flip(upon))._tag, "RevisionConflict")
      assert.strictEqual(yield* takeWindow, "a")
      assert.strictEqual(yield* reading, "a")
      yield* dequeue("a")
      assert.strictEqual(yield* reading, "absent")
      const many = mesh.readMany(Stream.queue.name, [subjectOf("a")])
      assert.strictEqual((yield* Effect.flip(many))._tag, "MeshUnavailable")
    })
  )

  claim("dequeue() removes work, taken or not, and the same can be queued again", () =>
    Effect.gen(function* () {
      const { dequeue, enqueue, nothingFor, takeWindow } = yield* queueOf
      yield* enqueue("a")
      yield* enqueue("b")
      yield* dequeue("a")
      assert.strictEqual(yield* takeWindow, "b")
      yield* dequeue("b")
      yield* dequeue("b")
      yield* nothingFor(5)
      yield* enqueue("b")
      assert.strictEqual(yield* takeWindow, "b")
      yield* dequeue("b")
    })
  )
}

const againClaims = (claim: Claim): void => {
  claim("work comes again when whoever took it says nothing for four seconds", () =>
    Effect.gen(function* () {
      const { enqueue, takeSome, takeWindow, windowOf } = yield* queueOf
      yield* enqueue("a")
      assert.strictEqual(yield* takeWindow, "a")
      const { tookMs, value } = yield* timed(takeSome)
      assert.strictEqual(windowOf(Option.some(value)), "a")
      assert.isAtLeast(tookMs, 3500)
      assert.isAtMost(tookMs, 6500)
    })
  )

  claim("working keeps work for as long as it is said", () =>
    Effect.gen(function* () {
      const { enqueue, nothingFor, takeOne, takeSome, windowOf } = yield* queueOf
      yield* enqueue("a")
      const { working } = yield* takeOne
      for (let at = 0; at < 6; at++) {
        yield* nothingFor(1)
        yield* working
      }
      const { tookMs, value } = yield* timed(takeSome)
      assert.strictEqual(windowOf(Option.some(value)), "a")
      assert.isAtLeast(tookMs, 3500)
    })
  )

  claim("later gives work back in a second or so, and before what is new", () =>
    Effect.gen(function* () {
      const { enqueue, takeOne, takeSome, takeWindow, windowOf } = yield* queueOf
      yield* enqueue("a")
      yield* (yield* takeOne).later
      const { tookMs, value } = yield* timed(takeSome)
      assert.strictEqual(windowOf(Option.some(value)), "a")
      assert.isAtLeast(tookMs, 700)
      assert.isAtMost(tookMs, 3000)
      yield* value.later
      yield* Effect.sleep(1500)
      yield* enqueue("b")
      assert.deepStrictEqual([yield* takeWindow, yield* takeWindow], ["a", "b"])
    })
  )

  claim("whoever lost his work is not told: his signs of life count, and his removal removes it", () =>
    Effect.gen(function* () {
      const { dequeue, enqueue, nothingFor, takeOne, takeSome, windowOf } = yield* queueOf
      yield* enqueue("a")
      const stale = yield* takeOne
      const holder = yield* takeSome
      assert.strictEqual(windowOf(Option.some(holder)), "a")
      yield* nothingFor(3)
      yield* stale.working
      yield* nothingFor(3)
      yield* dequeue("a")
      yield* holder.working
      yield* holder.later
      yield* nothingFor(5)
      yield* enqueue("a")
      yield* holder.later
      assert.strictEqual(windowOf(Option.some(yield* takeOne)), "a")
      yield* stale.later
      yield* nothingFor(2)
    })
  )
}

/** Declares the claims about the queue. */
export const claimQueue = (claim: Claim): void => {
  takeClaims(claim)
  subjectClaims(claim)
  againClaims(claim)
}
