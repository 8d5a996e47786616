/**
 * What must the port to NATS hold of records and messages, whatever is behind it?
 *
 * The same claims pass on a real server and in the memory of one process, or what is tried without a server says
 * nothing of what happens with one.
 */
import { assert, layer } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer, Option, Scope } from "effect"
import * as Stream from "../../protocol/wire/Stream.ts"
import { deadLetters } from "../../protocol/wire/DeadLetter.ts"
import { keySubject } from "../../protocol/wire/StreamSpec.ts"
import { Mesh, type MeshShape, type Message, type Stored } from "../../runtime/Mesh.ts"
import { untilTrue } from "../support/untilTrue.ts"

/** A port, whose streams need not be there yet. */
export interface MeshClaims<E> {
  readonly name: string
  readonly implementation: Layer.Layer<Mesh, E>
}

const bytes = (text: string) => new TextEncoder().encode(text)
const textOf = (data: Uint8Array) => new TextDecoder().decode(data)
const told = (stored: Option.Option<Stored>): string =>
  Option.match(stored, {
    onNone: () => "absent",
    onSome: ({ value }) => Option.match(value, { onNone: () => "ended", onSome: textOf })
  })

// each claim has keys and subjects of its own
let claims = 0
const fresh = () => `claim-${++claims}`

const revisionOf = (stored: Option.Option<Stored>) => Option.getOrThrow(stored).revision

/** One key of a bucket. */
const recordAt = Effect.fnUntraced(function* (bucket: typeof Stream.actors) {
  const mesh = yield* Mesh
  const subject = keySubject(bucket, fresh())
  return {
    write: (text: string, options?: Parameters<MeshShape["write"]>[2]) => mesh.write(subject, bytes(text), options),
    read: mesh.read(bucket.name, subject)
  }
})

type Claim = (title: string, run: () => Effect.Effect<void, unknown, Mesh | Scope.Scope>) => void

const recordClaims = (claim: Claim): void => {
  claim("write() that expects another revision than stands there is a conflict, and changes nothing", () =>
    Effect.gen(function* () {
      const { read, write } = yield* recordAt(Stream.actors)
      assert.strictEqual((yield* Effect.flip(write("a", { expect: 7 })))._tag, "RevisionConflict")
      assert.strictEqual(told(yield* read), "absent")
      const first = yield* write("a", { expect: 0 })
      assert.strictEqual((yield* Effect.flip(write("b", { expect: 0 })))._tag, "RevisionConflict")
      const second = yield* write("b", { expect: first })
      assert.strictEqual((yield* Effect.flip(write("c", { expect: first })))._tag, "RevisionConflict")
      assert.strictEqual(told(yield* read), "b")
      assert.strictEqual(revisionOf(yield* read), second)
    })
  )

  claim("write() gives a revision above each before it, with and without an expectation", () =>
    Effect.gen(function* () {
      const { read, write } = yield* recordAt(Stream.actors)
      const first = yield* write("a")
      const second = yield* write("b", { expect: first })
      const third = yield* write("c")
      assert.isAbove(first, 0)
      assert.isAbove(second, first)
      assert.isAbove(third, second)
      assert.strictEqual(told(yield* read), "c")
    })
  )

  claim("write() of many at once who expect the same lets one through", () =>
    Effect.gen(function* () {
      const { read, write } = yield* recordAt(Stream.slots)
      const tries = Array.from({ length: 8 }, (_, at) => Effect.exit(write(`by ${at}`, { expect: 0 })))
      const exits = yield* Effect.all(tries, { concurrency: "unbounded" })
      assert.lengthOf(exits.filter(Exit.isSuccess), 1)
      assert.strictEqual(told(yield* read), `by ${exits.findIndex(Exit.isSuccess)}`)
    })
  )

  claim("write() that removes leaves a revision without value, upon which is written", () =>
    Effect.gen(function* () {
      const { read, write } = yield* recordAt(Stream.actors)
      const first = yield* write("a", { expect: 0 })
      assert.strictEqual((yield* Effect.flip(write("", { expect: 0, remove: true })))._tag, "RevisionConflict")
      const end = yield* write("", { expect: first, remove: true })
      assert.strictEqual(told(yield* read), "ended")
      assert.strictEqual(revisionOf(yield* read), end)
      assert.strictEqual((yield* Effect.flip(write("b", { expect: 0 })))._tag, "RevisionConflict")
      yield* write("b", { expect: end })
      assert.strictEqual(told(yield* read), "b")
    })
  )

  claim("write() of an empty value is a value", () =>
    Effect.gen(function* () {
      const { read, write } = yield* recordAt(Stream.actors)
      yield* write("")
      assert.strictEqual(told(yield* read), "")
    })
  )

  claim("write() to what no stream captures, or of more than the largest payload, is refused", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const nowhere = yield* Effect.flip(mesh.write(`nowhere.${fresh()}`, bytes("a")))
      assert.strictEqual(nowhere._tag, "MeshUnavailable")
      const much = new Uint8Array(mesh.payloadBytesMax() + 1)
      const subject = keySubject(Stream.actors, fresh())
      assert.strictEqual((yield* Effect.flip(mesh.write(subject, much)))._tag, "MeshUnavailable")
      assert.strictEqual(told(yield* mesh.read(Stream.actors.name, subject)), "absent")
    })
  )

  claim("write() with a time to live is refused where nothing expires", () =>
    Effect.gen(function* () {
      const { read, write } = yield* recordAt(Stream.actors)
      assert.strictEqual((yield* Effect.flip(write("a", { expect: 0, ttlSeconds: 1 })))._tag, "MeshUnavailable")
      assert.strictEqual(told(yield* read), "absent")
    })
  )
}

const endClaims = (claim: Claim): void => {
  claim("write() with a time to live ends with a mark in a bucket of leases, upon which is written", () =>
    Effect.gen(function* () {
      const { read, write } = yield* recordAt(Stream.sessions)
      const first = yield* write("a", { expect: 0, ttlSeconds: 1 })
      assert.strictEqual(told(yield* read), "a")
      yield* untilTrue(
        "the record has ended",
        Effect.map(read, (stored) => told(stored) !== "a")
      )
      assert.strictEqual(told(yield* read), "ended")
      const end = revisionOf(yield* read)
      assert.isAbove(end, first)
      assert.strictEqual((yield* Effect.flip(write("b", { expect: first, ttlSeconds: 1 })))._tag, "RevisionConflict")
      yield* write("b", { expect: end, ttlSeconds: 60 })
      assert.strictEqual(told(yield* read), "b")
    })
  )

  claim("write() with a time to live leaves nothing behind in a bucket without marks, and begins anew", () =>
    Effect.gen(function* () {
      const { read, write } = yield* recordAt(Stream.timers)
      const first = yield* write("a", { expect: 0, ttlSeconds: 1 })
      yield* untilTrue(
        "the record has ended",
        Effect.map(read, (stored) => told(stored) !== "a")
      )
      assert.strictEqual(told(yield* read), "absent")
      assert.strictEqual((yield* Effect.flip(write("b", { expect: first })))._tag, "RevisionConflict")
      yield* write("b", { expect: 0 })
      assert.strictEqual(told(yield* read), "b")
    })
  )

  claim("write() that renews keeps a record alive without any time to live", () =>
    Effect.gen(function* () {
      const { read, write } = yield* recordAt(Stream.sessions)
      const witness = yield* recordAt(Stream.sessions)
      const first = yield* write("a", { expect: 0, ttlSeconds: 1 })
      yield* write("b", { expect: first })
      yield* witness.write("w", { expect: 0, ttlSeconds: 2 })
      yield* untilTrue(
        "the witness has ended",
        Effect.map(witness.read, (stored) => told(stored) === "ended")
      )
      assert.strictEqual(told(yield* read), "b")
    })
  )

  claim("write() of a removal that may end is gone without a trace afterwards", () =>
    Effect.gen(function* () {
      const { read, write } = yield* recordAt(Stream.timers)
      const first = yield* write("a", { expect: 0 })
      yield* write("", { expect: first, remove: true, ttlSeconds: 1 })
      assert.strictEqual(told(yield* read), "ended")
      yield* untilTrue(
        "the mark has ended",
        Effect.map(read, (stored) => told(stored) === "absent")
      )
      yield* write("b", { expect: 0 })
      assert.strictEqual(told(yield* read), "b")
    })
  )
}

const manyClaims = (claim: Claim): void => {
  claim("readMany() gives the last of each subject that is named, also by wildcards, and leaves out the absent", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const root = fresh()
      const at = (key: string) => keySubject(Stream.actors, `${root}.${key}`)
      for (const key of ["a.1", "a.2", "a.2.x", "b.1", "c"]) yield* mesh.write(at(key), bytes(`old ${key}`))
      yield* mesh.write(at("a.1"), bytes("new a.1"))
      yield* mesh.write(at("b.1"), bytes(""), { remove: true })
      const found = (subjects: ReadonlyArray<string>) =>
        Effect.map(mesh.readMany(Stream.actors.name, subjects.map(at)), (many) =>
          Object.fromEntries(many.map((one) => [one.subject.slice(at("").length), told(Option.some(one))]))
        )
      const [a1, a2, a2x, b1, c] = ["new a.1", "old a.2", "old a.2.x", "ended", "old c"]
      assert.deepStrictEqual(yield* found(["a.*"]), { "a.1": a1, "a.2": a2 })
      assert.deepStrictEqual(yield* found(["a.>"]), { "a.1": a1, "a.2": a2, "a.2.x": a2x })
      assert.deepStrictEqual(yield* found(["*.1"]), { "a.1": a1, "b.1": b1 })
      assert.deepStrictEqual(yield* found(["c", "none", "c.>", "none.*"]), { c })
      assert.deepStrictEqual(yield* found([]), {})
    })
  )

  claim("read() and readMany() give nothing of another stream", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const subject = keySubject(Stream.actors, fresh())
      yield* mesh.write(subject, bytes("a"))
      assert.deepStrictEqual(yield* mesh.readMany(deadLetters.name, [subject]), [])
      assert.strictEqual(told(yield* mesh.read(deadLetters.name, subject)), "absent")
    })
  )

  claim("dequeue() removes a letter as if it had never been, and nothing of a bucket of states", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const letter = `seamless.v1.dead.t.k.${fresh()}`
      yield* mesh.write(letter, bytes("a"), { expect: 0 })
      yield* mesh.dequeue(deadLetters.name, letter)
      assert.strictEqual(told(yield* mesh.read(deadLetters.name, letter)), "absent")
      yield* mesh.write(letter, bytes("b"), { expect: 0 })
      const subject = keySubject(Stream.actors, fresh())
      yield* mesh.write(subject, bytes("a"))
      assert.isTrue(Exit.isFailure(yield* Effect.exit(mesh.dequeue(Stream.actors.name, subject))))
      assert.strictEqual(told(yield* mesh.read(Stream.actors.name, subject)), "a")
    })
  )
}

/** What a subscription has got so far, and how to wait for so many. */
const inboxOn = Effect.fnUntraced(function* (subject: string, group?: string) {
  const mesh = yield* Mesh
  const got: Array<string> = []
  yield* mesh.subscribe(subject, ({ data }) => void got.push(textOf(data)), group === undefined ? {} : { group })
  return {
    got,
    until: (count: number) =>
      untilTrue(
        `${count} came`,
        Effect.sync(() => got.length >= count)
      )
  }
})

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

/** Declares the claims about a port, which is made once for all of them. On the real clock. */
export const meshRecordsSuite = <E>({ implementation, name }: MeshClaims<E>): void => {
  const provisioned = Layer.provideMerge(
    Layer.effectDiscard(Effect.flatMap(Mesh, (mesh) => mesh.provision(Stream.every))),
    implementation
  )
  const suite = layer(provisioned, { excludeTestServices: true, timeout: "60 seconds" })
  suite(`Mesh (${name})`, (it) => {
    const claim: Claim = (title, run) => it.effect(title, () => Effect.orDie(Effect.scoped(run())))
    recordClaims(claim)
    endClaims(claim)
    manyClaims(claim)
    messageClaims(claim)
    requestClaims(claim)
  })
}
