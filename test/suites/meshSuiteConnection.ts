/** What must the port to NATS hold when its connection is lost and comes back, whatever is behind it? */
import { assert } from "@effect/vitest"
import { Effect, Exit, Fiber, Option } from "effect"
import * as QueueSubject from "../../protocol/wire/QueueSubject.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import { keySubject } from "../../protocol/wire/StreamSpec.ts"
import { Mesh, type Message, type MeshShape } from "../../runtime/Mesh.ts"
import { untilTrue } from "../support/untilTrue.ts"
import { announcementsOn } from "./meshSuiteAnnouncements.ts"
import {
  bytes,
  type Claim,
  fresh,
  inboxOn,
  type MeshVerbs,
  recordAt,
  revisionOf,
  textOf,
  timed,
  told
} from "./meshSuiteTools.ts"

/** Loses the connection, and has it back with the claim at the latest. */
const connectionOf = Effect.fnUntraced(function* ({ back, lose }: MeshVerbs) {
  const mesh = yield* Mesh
  let reconnects = 0
  yield* mesh.onReconnect(() => void (reconnects += 1))
  const until = (isUp: boolean) =>
    untilTrue(
      isUp ? "the connection is back" : "the connection is lost",
      Effect.sync(() => mesh.connected() === isUp)
    )
  const restore = Effect.andThen(back, until(true))
  yield* Effect.addFinalizer(() => restore)
  return {
    mesh,
    reconnects: () => reconnects,
    lose: Effect.andThen(lose, until(false)),
    back: restore
  }
})

const isUnavailable = Effect.fnUntraced(function* (run: Effect.Effect<unknown, { readonly _tag: string }>) {
  const { tookMs, value } = yield* timed(Effect.flip(run))
  assert.strictEqual(value._tag, "MeshUnavailable")
  return tookMs
})

/** Answers what comes on a subject; the questions so far. */
const answering = Effect.fnUntraced(function* (mesh: MeshShape, subject: string, answer: (message: Message) => void) {
  const asked: Array<Message> = []
  yield* mesh.subscribe(subject, (message) => {
    asked.push(message)
    answer(message)
  })
  return asked
})

const downClaims = (claim: Claim, verbs: MeshVerbs): void => {
  claim("without a connection nothing is written, read or asked, and that is told at once", () =>
    Effect.gen(function* () {
      const { lose, mesh } = yield* connectionOf(verbs)
      const { read, subject, write } = yield* recordAt(Stream.actors)
      yield* lose
      assert.isBelow(yield* isUnavailable(write("a")), 500)
      assert.isBelow(yield* isUnavailable(read), 500)
      assert.isBelow(yield* isUnavailable(mesh.history(Stream.actors.name, subject)), 500)
      assert.isBelow(yield* isUnavailable(mesh.request(subject, bytes("a"), { timeoutMs: 5000 })), 500)
      const many = mesh.requestMany(subject, bytes("a"), { timeoutMs: 5000, onAnswer: () => undefined })
      assert.isBelow(yield* isUnavailable(Effect.scoped(many)), 500)
      yield* mesh.caughtUp
    })
  )

  claim("without a connection all else ends within its bound, and what is published is lost", () =>
    Effect.gen(function* () {
      const { back, lose, mesh } = yield* connectionOf(verbs)
      const subject = fresh()
      const { got } = yield* inboxOn(subject)
      yield* lose
      yield* mesh.publish(subject, bytes("lost"))
      assert.isBelow(yield* isUnavailable(Effect.scoped(mesh.subscribe(subject, () => undefined))), 3000)
      const queued = QueueSubject.queuedJob({ jobClass: "interactive", partition: 0, windowKey: subject })
      const asked = [
        mesh.readMany(Stream.actors.name, ["a"]),
        mesh.enqueue(queued, bytes("a")),
        mesh.dequeue(Stream.queue.name, queued)
      ]
      yield* Effect.forEach(asked, isUnavailable, { concurrency: "unbounded" })
      yield* back
      yield* mesh.caughtUp
      assert.deepStrictEqual(got, [])
    })
  )

  claim("without a connection take() fails, and is told within seconds", () =>
    Effect.gen(function* () {
      const { lose, mesh } = yield* connectionOf(verbs)
      yield* lose
      assert.isBelow(yield* isUnavailable(mesh.take(Stream.queue.name, "interactive")), 3000)
    })
  )
}

const backClaims = (claim: Claim, verbs: MeshVerbs): void => {
  claim("subscriptions work again when the connection is back, and onReconnect() tells it", () =>
    Effect.gen(function* () {
      const { back, lose, mesh, reconnects } = yield* connectionOf(verbs)
      const other = yield* verbs.other
      const [subject, closed] = [fresh(), fresh()]
      const { got, until } = yield* inboxOn(subject)
      const ended = yield* Effect.scoped(inboxOn(closed))
      yield* lose
      yield* other.publish(subject, bytes("lost"))
      yield* other.caughtUp
      yield* back
      yield* untilTrue(
        "it was told",
        Effect.sync(() => reconnects() === 1)
      )
      yield* other.publish(closed, bytes("nobody"))
      yield* other.publish(subject, bytes("heard"))
      yield* until(1)
      yield* mesh.caughtUp
      assert.deepStrictEqual(got, ["heard"])
      assert.deepStrictEqual(ended.got, [])
    })
  )

  claim("what was announced meanwhile is missed, which the next announcement shows, and a read gives the newest", () =>
    Effect.gen(function* () {
      const { back, lose } = yield* connectionOf(verbs)
      const other = yield* verbs.other
      const { key, read, subject, write } = yield* recordAt(Stream.slots)
      const { got, until } = yield* announcementsOn(`seamless.v1.changed.slots.${key}`)
      const first = yield* write("a", { expect: 0 })
      yield* until(1)
      yield* lose
      const missed = yield* other.write(subject, bytes("b"), { expect: first })
      yield* back
      assert.strictEqual(told(yield* read), "b")
      assert.strictEqual(revisionOf(yield* read), missed)
      const third = yield* other.write(subject, bytes("c"), { expect: missed })
      yield* until(2)
      assert.deepStrictEqual(
        got.map(({ previous, revision }) => [revision, previous]),
        [
          [first, 0],
          [third, missed]
        ]
      )
    })
  )

  claim("who writes upon what he knew before the connection was lost is told that it has changed", () =>
    Effect.gen(function* () {
      const { back, lose } = yield* connectionOf(verbs)
      const other = yield* verbs.other
      const { subject, write } = yield* recordAt(Stream.actors)
      const first = yield* write("a", { expect: 0 })
      yield* lose
      yield* other.write(subject, bytes("b"), { expect: first })
      yield* back
      assert.strictEqual((yield* Effect.flip(write("c", { expect: first })))._tag, "RevisionConflict")
    })
  )
}

const flightClaims = (claim: Claim, verbs: MeshVerbs): void => {
  claim("request() that is asked when the connection is lost gets an answer that comes when it is back", () =>
    Effect.gen(function* () {
      const { back, lose, mesh } = yield* connectionOf(verbs)
      const other = yield* verbs.other
      const subject = fresh()
      const asked = yield* answering(other, subject, () => undefined)
      const waiting = yield* Effect.forkChild(mesh.request(subject, bytes("a"), { timeoutMs: 20_000 }), {
        startImmediately: true
      })
      yield* untilTrue(
        "it was asked",
        Effect.sync(() => asked.length === 1)
      )
      yield* lose
      yield* back
      // the answer goes to a subscription that is there again
      yield* mesh.caughtUp
      asked[0]!.respond(bytes("late"))
      assert.strictEqual(textOf((yield* Fiber.join(waiting)).data), "late")
    })
  )

  claim("request() whose answer was lost with the connection ends in its time", () =>
    Effect.gen(function* () {
      const { back, lose, mesh } = yield* connectionOf(verbs)
      const other = yield* verbs.other
      const subject = fresh()
      const asked = yield* answering(other, subject, () => undefined)
      const waiting = yield* Effect.forkChild(Effect.flip(mesh.request(subject, bytes("a"), { timeoutMs: 3000 })), {
        startImmediately: true
      })
      yield* untilTrue(
        "it was asked",
        Effect.sync(() => asked.length === 1)
      )
      yield* lose
      asked[0]!.respond(bytes("lost"))
      yield* other.caughtUp
      yield* back
      assert.strictEqual((yield* Fiber.join(waiting))._tag, "DeadlineExceeded")
    })
  )

  claim("requestMany() misses the answers of the time without a connection, and gets those that come after", () =>
    Effect.gen(function* () {
      const { back, lose, mesh } = yield* connectionOf(verbs)
      const other = yield* verbs.other
      const subject = fresh()
      const asked = yield* answering(other, subject, ({ respond }) => respond(bytes("1")))
      const got: Array<string> = []
      const onAnswer = ({ data }: Message) => void got.push(textOf(data))
      yield* mesh.requestMany(subject, bytes("a"), { timeoutMs: 5000, onAnswer })
      yield* lose
      asked[0]!.respond(bytes("2, lost"))
      yield* other.caughtUp
      yield* back
      yield* mesh.caughtUp
      asked[0]!.respond(bytes("3"))
      yield* untilTrue(
        "the third came",
        Effect.sync(() => got.length === 2)
      )
      assert.deepStrictEqual(got, ["1", "3"])
    })
  )

  claim("who asks one whose connection is lost is told that nobody listens", () =>
    Effect.gen(function* () {
      const { back, lose, mesh } = yield* connectionOf(verbs)
      const other = yield* verbs.other
      const subject = fresh()
      yield* answering(mesh, subject, ({ respond }) => respond(bytes("here")))
      const ask = other.request(subject, bytes("a"), { timeoutMs: 1000 })
      assert.strictEqual(textOf((yield* ask).data), "here")
      yield* lose
      yield* untilTrue(
        "nobody listens",
        Effect.map(Effect.flip(ask), ({ _tag }) => _tag === "NoResponders")
      )
      yield* back
      assert.strictEqual(textOf((yield* ask).data), "here")
    })
  )
}

const queueClaims = (claim: Claim, verbs: MeshVerbs): void => {
  claim("take() that waited when the connection was lost waits on when it is back, and gets what comes", () =>
    Effect.gen(function* () {
      const { back, lose, mesh } = yield* connectionOf(verbs)
      const other = yield* verbs.other
      const subject = QueueSubject.queuedJob({ jobClass: "interactive", partition: 0, windowKey: fresh() })
      yield* Effect.exit(mesh.take(Stream.queue.name, "interactive"))
      const waiting = yield* Effect.forkChild(mesh.take(Stream.queue.name, "interactive"), { startImmediately: true })
      yield* mesh.caughtUp
      yield* lose
      yield* other.enqueue(subject, bytes("a"))
      yield* back
      const taken = yield* Fiber.join(waiting)
      assert.strictEqual(Option.getOrThrow(taken).subject, subject)
      yield* other.dequeue(Stream.queue.name, subject)
    })
  )

  claim("work of one whose connection was lost goes to another", () =>
    Effect.gen(function* () {
      const { lose, mesh } = yield* connectionOf(verbs)
      const other = yield* verbs.other
      const subject = QueueSubject.queuedJob({ jobClass: "interactive", partition: 0, windowKey: fresh() })
      yield* mesh.enqueue(subject, bytes("a"))
      const mine = Option.getOrThrow(yield* mesh.take(Stream.queue.name, "interactive"))
      yield* lose
      yield* mine.working
      const theirs = yield* other
        .take(Stream.queue.name, "interactive")
        .pipe(Effect.repeat({ until: Option.isSome, times: 8 }), Effect.map(Option.getOrThrow))
      assert.strictEqual(theirs.subject, subject)
      assert.isTrue(Exit.isSuccess(yield* Effect.exit(other.dequeue(Stream.queue.name, subject))))
      assert.strictEqual(told(yield* other.read(Stream.actors.name, keySubject(Stream.actors, fresh()))), "absent")
    })
  )
}

const restartClaims = (claim: Claim, verbs: MeshVerbs): void => {
  claim("a server that is killed and started again has what it acknowledged, and goes on counting from there", () =>
    Effect.gen(function* () {
      const { back, mesh } = yield* connectionOf(verbs)
      const state = yield* recordAt(Stream.actors)
      const lease = yield* recordAt(Stream.sessions)
      const queued = QueueSubject.queuedJob({ jobClass: "interactive", partition: 0, windowKey: fresh() })
      const { got, until } = yield* announcementsOn(`seamless.v1.changed.sessions.${lease.key}`)
      const first = yield* state.write("a", { expect: 0 })
      const held = yield* lease.write("a", { expect: 0, ttlSeconds: 3 })
      yield* mesh.enqueue(queued, bytes("a"))
      assert.isTrue(Option.isSome(yield* mesh.take(Stream.queue.name, "interactive")))
      yield* verbs.restart
      yield* back
      assert.strictEqual(told(yield* state.read), "a")
      assert.strictEqual(yield* state.write("b", { expect: first }), first + 1)
      yield* untilTrue(
        "the lease has ended",
        Effect.map(lease.read, (stored) => told(stored) === "ended")
      )
      assert.isAbove(revisionOf(yield* lease.read), held)
      yield* until(2)
      assert.deepStrictEqual(
        got.map(({ previous, reason }) => [previous, reason]),
        [
          [0, undefined],
          [held, "MaxAge"]
        ]
      )
      const again = yield* mesh
        .take(Stream.queue.name, "interactive")
        .pipe(Effect.repeat({ until: Option.isSome, times: 8 }), Effect.map(Option.getOrThrow))
      assert.strictEqual(again.subject, queued)
      yield* mesh.dequeue(Stream.queue.name, queued)
    })
  )
}

/** Declares the claims about the connection. */
export const claimConnection = (claim: Claim, verbs: MeshVerbs): void => {
  downClaims(claim, verbs)
  backClaims(claim, verbs)
  flightClaims(claim, verbs)
  queueClaims(claim, verbs)
  restartClaims(claim, verbs)
}
