/** What must the port to NATS hold of messages, whatever is behind it? */
import { assert } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Scope } from "effect"
import { Mesh, type Message } from "../../runtime/Mesh.ts"
import { untilTrue } from "../support/untilTrue.ts"
import { bytes, type Claim, fresh, inboxOn, textOf } from "./meshSuiteTools.ts"

const messageClaims = (claim: Claim): void => {
  claim("publish() reaches each subscription whose pattern names the subject, in order, with headers", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const root = fresh()
      const patterns = [`${root}.a`, `${root}.*`, `${root}.>`, `*.a`, `${root}.a.>`, `${root}.b`]
      const inboxes = yield* Effect.forEach(patterns, (pattern) => inboxOn(pattern))
      const headers: Array<string | undefined> = []
      yield* mesh.subscribe(root, (message: Message) => void headers.push(message.headers.get("X-Kind")))
      for (const text of ["1", "2", "3"]) yield* mesh.publish(`${root}.a`, bytes(text))
      yield* mesh.publish(`${root}.a.deep`, bytes("4"))
      yield* mesh.publish(root, bytes("5"), new Map([["X-Kind", "last"]]))
      yield* untilTrue(
        "the last came",
        Effect.sync(() => headers.length === 1)
      )
      yield* inboxes[2]!.until(4)
      yield* inboxes[4]!.until(1)
      const all = ["1", "2", "3"]
      assert.deepStrictEqual(
        inboxes.map(({ got }) => got),
        [all, all, [...all, "4"], all, ["4"], []]
      )
      assert.deepStrictEqual(headers, ["last"])
    })
  )

  claim("subscribe() with a group gives each message to one of the group, and to everyone beside it", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const subject = fresh()
      const members = yield* Effect.forEach(["g", "g", "g"], (group) => inboxOn(subject, group))
      const other = yield* inboxOn(subject, "h")
      const alone = yield* inboxOn(subject)
      const sent = Array.from({ length: 30 }, (_, at) => String(at))
      for (const text of sent) yield* mesh.publish(subject, bytes(text))
      yield* alone.until(30)
      yield* other.until(30)
      const countOfGroup = () => members.reduce((count, { got }) => count + got.length, 0)
      yield* untilTrue(
        "the group got all",
        Effect.sync(() => countOfGroup() >= 30)
      )
      assert.deepStrictEqual(members.flatMap(({ got }) => got).toSorted(), sent.toSorted())
      assert.deepStrictEqual(alone.got, sent)
    })
  )

  claim("subscribe() ends with its scope", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const subject = fresh()
      const scope = yield* Scope.make()
      const gone = yield* Scope.provide(inboxOn(subject), scope)
      yield* Scope.close(scope, Exit.void)
      const here = yield* inboxOn(subject)
      yield* mesh.publish(subject, bytes("a"))
      yield* here.until(1)
      assert.deepStrictEqual(gone.got, [])
    })
  )
}

/** What a request was told to be abandoned by, and whether that was taken back. */
const abandoning = () => {
  const seen = { abandon: () => {}, given: 0, takenBack: 0 }
  const abandonOn = (abandon: () => void) => {
    seen.given += 1
    seen.abandon = abandon
    return () => void (seen.takenBack += 1)
  }
  return { seen, abandonOn }
}

const requestClaims = (claim: Claim): void => {
  claim("request() gives the answer with its headers, and takes its abandoning back", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const subject = fresh()
      const headers = new Map([["X-Kind", "question"]])
      yield* mesh.subscribe(subject, ({ data, headers: asked, respond }) =>
        respond(bytes(`re: ${textOf(data)}`), new Map([["X-Kind", `re: ${asked.get("X-Kind")}`]]))
      )
      const { abandonOn, seen } = abandoning()
      const answer = yield* mesh.request(subject, bytes("a"), { timeoutMs: 5000, headers, abandonOn })
      assert.strictEqual(textOf(answer.data), "re: a")
      assert.strictEqual(answer.headers.get("X-Kind"), "re: question")
      assert.deepInclude(seen, { given: 1, takenBack: 1 })
    })
  )

  claim("request() where nobody listens is told so at once", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const failure = yield* Effect.flip(mesh.request(fresh(), bytes("a"), { timeoutMs: 60_000 }))
      assert.strictEqual(failure._tag, "NoResponders")
    })
  )

  claim("request() that nobody answers in time is told so, and takes its abandoning back", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const subject = fresh()
      yield* mesh.subscribe(subject, () => undefined)
      const { abandonOn, seen } = abandoning()
      const failure = yield* Effect.flip(mesh.request(subject, bytes("a"), { timeoutMs: 50, abandonOn }))
      assert.strictEqual(failure._tag, "DeadlineExceeded")
      assert.strictEqual(seen.takenBack, 1)
    })
  )

  claim("request() that is abandoned ends as if nobody listened, and a late answer changes nothing", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const subject = fresh()
      const asked = yield* Deferred.make<Message>()
      yield* mesh.subscribe(subject, (message) => Deferred.doneUnsafe(asked, Exit.succeed(message)))
      const { abandonOn, seen } = abandoning()
      const request = mesh.request(subject, bytes("a"), { timeoutMs: 60_000, abandonOn })
      const waiting = yield* Effect.forkChild(Effect.flip(request), { startImmediately: true })
      const message = yield* Deferred.await(asked)
      seen.abandon()
      message.respond(bytes("late"))
      assert.strictEqual((yield* Fiber.join(waiting))._tag, "NoResponders")
    })
  )

  claim("request() takes the first of many answers", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const subject = fresh()
      for (const name of ["x", "y"]) {
        yield* mesh.subscribe(subject, ({ respond }) => {
          respond(bytes(name))
          respond(bytes(`${name} again`))
        })
      }
      const { data } = yield* mesh.request(subject, bytes("a"), { timeoutMs: 5000 })
      assert.include(["x", "y"], textOf(data))
    })
  )
}

const requestManyClaims = (claim: Claim): void => {
  claim("requestMany() ends with the first answer, and hands on all in their order until its scope ends", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const subject = fresh()
      const asked = yield* Deferred.make<Message>()
      yield* mesh.subscribe(subject, (message) => Deferred.doneUnsafe(asked, Exit.succeed(message)))
      const scope = yield* Scope.make()
      const got: Array<string> = []
      const onAnswer = ({ data, headers }: Message) => void got.push(textOf(data) + (headers.get("X-Kind") ?? ""))
      const waiting = yield* Effect.forkChild(
        mesh.requestMany(subject, bytes("a"), { timeoutMs: 5000, onAnswer }).pipe(Scope.provide(scope)),
        { startImmediately: true }
      )
      const { respond } = yield* Deferred.await(asked)
      respond(bytes("1"), new Map([["X-Kind", "!"]]))
      yield* Fiber.join(waiting)
      for (const text of ["2", "3"]) respond(bytes(text))
      yield* untilTrue(
        "all came",
        Effect.sync(() => got.length >= 3)
      )
      yield* Scope.close(scope, Exit.void)
      respond(bytes("late"))
      yield* mesh.caughtUp
      assert.deepStrictEqual(got, ["1!", "2", "3"])
    })
  )

  claim("requestMany() where nobody listens is told so at once, and hands nothing on", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const got: Array<Message> = []
      const onAnswer = (message: Message) => void got.push(message)
      const failure = yield* Effect.flip(mesh.requestMany(fresh(), bytes("a"), { timeoutMs: 60_000, onAnswer }))
      assert.strictEqual(failure._tag, "NoResponders")
      assert.deepStrictEqual(got, [])
    })
  )

  claim("requestMany() that nobody answers in time is told so, and an answer that comes later is handed on", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const subject = fresh()
      const asked = yield* Deferred.make<Message>()
      yield* mesh.subscribe(subject, (message) => Deferred.doneUnsafe(asked, Exit.succeed(message)))
      const got: Array<string> = []
      const onAnswer = ({ data }: Message) => void got.push(textOf(data))
      const failure = yield* Effect.flip(mesh.requestMany(subject, bytes("a"), { timeoutMs: 50, onAnswer }))
      assert.strictEqual(failure._tag, "DeadlineExceeded")
      const { respond } = yield* Deferred.await(asked)
      respond(bytes("late"))
      yield* untilTrue(
        "the late answer came",
        Effect.sync(() => got.length === 1)
      )
    })
  )

  claim("requestMany() whose handler throws goes on, and so does everything else", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const subject = fresh()
      yield* mesh.subscribe(subject, ({ data, respond }) => {
        for (let times = 0; times < 3; times++) respond(data)
      })
      let calls = 0
      const onAnswer = () => {
        calls += 1
        throw new Error("a handler's own failure")
      }
      yield* mesh.requestMany(subject, bytes("a"), { timeoutMs: 5000, onAnswer })
      yield* untilTrue(
        "all came",
        Effect.sync(() => calls === 3)
      )
      assert.strictEqual(textOf((yield* mesh.request(subject, bytes("b"), { timeoutMs: 5000 })).data), "b")
    })
  )

  claim("a question says where its answers go, in the same tokens for all of one asker; a message does not", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const subject = fresh()
      const asked: Array<string> = []
      yield* mesh.subscribe(subject, ({ data, replyTo, respond }) => {
        asked.push(replyTo)
        respond(data)
      })
      yield* mesh.request(subject, bytes("a"), { timeoutMs: 5000 })
      yield* mesh.requestMany(subject, bytes("b"), { timeoutMs: 5000, onAnswer: () => undefined })
      yield* mesh.publish(subject, bytes("c"))
      yield* untilTrue(
        "all came",
        Effect.sync(() => asked.length === 3)
      )
      const askers = asked.slice(0, 2).map((replyTo) => replyTo.split(".").slice(0, 2).join("."))
      assert.strictEqual(new Set(asked).size, 3)
      assert.strictEqual(new Set(askers).size, 1)
      assert.match(askers[0]!, /^_INBOX\.\S+$/)
      assert.strictEqual(asked[2], "")
    })
  )
}

const limitClaims = (claim: Claim): void => {
  claim("publish(), request(), requestMany() and enqueue() of more than the largest payload are refused", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const subject = fresh()
      const { got } = yield* inboxOn(subject)
      const much = new Uint8Array(mesh.payloadBytesMax() + 1)
      const asked: ReadonlyArray<Effect.Effect<unknown, { readonly _tag: string }>> = [
        mesh.publish(subject, much),
        mesh.request(subject, much, { timeoutMs: 1000 }),
        Effect.scoped(mesh.requestMany(subject, much, { timeoutMs: 1000, onAnswer: () => undefined })),
        mesh.enqueue("seamless.v1.jobs.interactive.0.large", much)
      ]
      for (const one of asked) assert.strictEqual((yield* Effect.flip(one))._tag, "MeshUnavailable")
      yield* mesh.caughtUp
      assert.deepStrictEqual(got, [])
    })
  )

  claim("caughtUp ends behind what was sent before it", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const subject = fresh()
      const { got } = yield* inboxOn(subject)
      for (const text of ["1", "2", "3"]) yield* mesh.publish(subject, bytes(text))
      yield* mesh.caughtUp
      assert.deepStrictEqual(got, ["1", "2", "3"])
      assert.isTrue(mesh.connected())
    })
  )
}

/** Declares the claims about messages. */
export const claimMessages = (claim: Claim): void => {
  messageClaims(claim)
  requestClaims(claim)
  requestManyClaims(claim)
  limitClaims(claim)
}
