/** What must the port to NATS hold of records, whatever is behind it? */
import { assert } from "@effect/vitest"
import { Effect, Exit, Option } from "effect"
import * as Stream from "../../protocol/wire/Stream.ts"
import { deadLetters } from "../../protocol/wire/DeadLetter.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import { keySubject } from "../../protocol/wire/StreamSpec.ts"
import { Mesh } from "../../runtime/Mesh.ts"
import { untilTrue } from "../support/untilTrue.ts"
import { bytes, type Claim, eventually, fresh, inboxOn, recordAt, revisionOf, timed, told } from "./meshSuiteTools.ts"

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

  claim("write() and read() of what is no subject are refused", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const at = (key: string) => keySubject(Stream.actors, `${fresh()}.${key}`)
      for (const key of [" x", ".x", ""]) {
        assert.strictEqual((yield* Effect.flip(mesh.write(at(key), bytes("a"))))._tag, "MeshUnavailable", key)
      }
      assert.strictEqual((yield* Effect.flip(mesh.read(Stream.actors.name, at("*"))))._tag, "MeshUnavailable")
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
      const nowhere = yield* timed(Effect.flip(mesh.write(`nowhere.${fresh()}`, bytes("a"))))
      assert.strictEqual(nowhere.value._tag, "MeshUnavailable")
      assert.isBelow(nowhere.tookMs, 1000)
      const much = new Uint8Array(mesh.payloadBytesMax() + 1)
      const subject = keySubject(Stream.actors, fresh())
      assert.strictEqual((yield* Effect.flip(mesh.write(subject, much)))._tag, "MeshUnavailable")
      assert.strictEqual(told(yield* mesh.read(Stream.actors.name, subject)), "absent")
    })
  )

  claim("write() to what no stream captures and somebody listens on waits in vain for two seconds", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const subject = fresh()
      const { got } = yield* inboxOn(subject)
      const { tookMs, value } = yield* timed(Effect.flip(mesh.write(subject, bytes("a"))))
      assert.strictEqual(value._tag, "MeshUnavailable")
      assert.isAtLeast(tookMs, 1900)
      assert.deepStrictEqual(got, ["a"])
    })
  )

  claim("write() reaches who listens on the subject as well, stored or not", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const { subject, write } = yield* recordAt(Stream.actors)
      const { got } = yield* inboxOn(subject)
      yield* write("a", { expect: 0 })
      yield* Effect.flip(write("b", { expect: 0 }))
      yield* mesh.caughtUp
      assert.deepStrictEqual(got, ["a", "b"])
    })
  )

  claim("write() of the largest payload is taken, and headers count: what it expects makes it too large", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const subject = Subject.chunk(`${fresh()}.1m`, 0, "large")
      const much = new Uint8Array(mesh.payloadBytesMax())
      // 12 bytes for all headers, 40 for this one
      assert.strictEqual((yield* Effect.flip(mesh.write(subject, much, { expect: 0 })))._tag, "MeshUnavailable")
      const tooMuch = much.subarray(51)
      assert.strictEqual((yield* Effect.flip(mesh.write(subject, tooMuch, { expect: 0 })))._tag, "MeshUnavailable")
      const revision = yield* mesh.write(subject, much.subarray(52), { expect: 0 })
      assert.isAbove(yield* mesh.write(subject, much), revision)
      yield* mesh.dequeue(Stream.chunks.name, subject)
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
      yield* eventually(found(["a.*"]), { "a.1": a1, "a.2": a2 })
      yield* eventually(found(["a.>"]), { "a.1": a1, "a.2": a2, "a.2.x": a2x })
      yield* eventually(found(["*.1"]), { "a.1": a1, "b.1": b1 })
      yield* eventually(found(["c", "none", "c.>", "none.*"]), { c })
      yield* eventually(found([]), {})
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

const sequenceClaims = (claim: Claim): void => {
  claim("write() counts in its stream alone, and what is refused counts nothing", () =>
    Effect.gen(function* () {
      const [a, b, elsewhere] = [
        yield* recordAt(Stream.actors),
        yield* recordAt(Stream.actors),
        yield* recordAt(Stream.cluster)
      ]
      const first = yield* a.write("1")
      assert.strictEqual(yield* b.write("2"), first + 1)
      const there = yield* elsewhere.write("there")
      yield* Effect.flip(b.write("no", { expect: first }))
      yield* Effect.flip(b.write("no", { ttlSeconds: 1 }))
      assert.strictEqual(yield* a.write("3", { remove: true }), first + 2)
      assert.strictEqual(yield* b.write("4", { expect: first + 1 }), first + 3)
      assert.strictEqual(yield* elsewhere.write("there again"), there + 1)
    })
  )

  claim("write() upon an end that nobody has seen is a conflict, whatever it expects but the end", () =>
    Effect.gen(function* () {
      const { read, write } = yield* recordAt(Stream.sessions)
      const first = yield* write("a", { expect: 0, ttlSeconds: 1 })
      yield* untilTrue(
        "the record has ended",
        Effect.map(read, (stored) => told(stored) === "ended")
      )
      for (const expect of [0, first]) {
        assert.strictEqual((yield* Effect.flip(write("b", { expect })))._tag, "RevisionConflict")
      }
      const end = revisionOf(yield* read)
      assert.isAbove(yield* write("", { expect: end, remove: true }), end)
    })
  )

  claim("write() of a removal that may end leaves a mark of its own in a bucket of leases", () =>
    Effect.gen(function* () {
      const { read, write } = yield* recordAt(Stream.sessions)
      const first = yield* write("a", { expect: 0 })
      const removed = yield* write("", { expect: first, remove: true, ttlSeconds: 1 })
      assert.strictEqual(revisionOf(yield* read), removed)
      yield* untilTrue(
        "the removal has ended",
        Effect.map(read, (stored) => revisionOf(stored) > removed)
      )
      assert.strictEqual(told(yield* read), "ended")
    })
  )

  claim("write() with a time to live of less than a second is refused", () =>
    Effect.gen(function* () {
      const { read, write } = yield* recordAt(Stream.sessions)
      assert.strictEqual((yield* Effect.flip(write("a", { ttlSeconds: 0.5 })))._tag, "MeshUnavailable")
      assert.strictEqual(told(yield* read), "absent")
    })
  )

  claim("read() of what was just acknowledged gives it; readMany() may be behind, and is never ahead", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const { read, subject, write } = yield* recordAt(Stream.actors)
      const written = new Map<number, string>()
      const writer = Effect.gen(function* () {
        for (let count = 1; count <= 60; count++) {
          const revision = yield* write(`text ${count}`)
          written.set(revision, `text ${count}`)
          assert.strictEqual(revisionOf(yield* read), revision)
        }
      })
      const seen: Array<readonly [number, string]> = []
      const reader = Effect.map(mesh.readMany(Stream.actors.name, [subject]), (found) => {
        for (const one of found) seen.push([one.revision, told(Option.some(one))])
      }).pipe(Effect.andThen(Effect.yieldNow), Effect.forever)
      yield* Effect.raceFirst(writer, Effect.all([reader, reader], { concurrency: "unbounded" }))
      for (const [revision, text] of seen) assert.strictEqual(text, written.get(revision))
    })
  )
}

const streamClaims = (claim: Claim): void => {
  claim("write() to a log keeps its order, gives the last, and nothing of it is purged", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const subject = Subject.audit(`${fresh()}.1m`)
      let last = 0
      for (const text of ["a", "b", "c"]) {
        const revision = yield* mesh.write(subject, bytes(text), { expect: last })
        assert.isAbove(revision, last)
        assert.strictEqual(
          (yield* Effect.flip(mesh.write(subject, bytes("x"), { expect: last })))._tag,
          "RevisionConflict"
        )
        last = revision
      }
      assert.strictEqual(told(yield* mesh.read(Stream.audit.name, subject)), "c")
      assert.strictEqual(revisionOf(yield* mesh.read(Stream.audit.name, subject)), last)
      assert.strictEqual((yield* Effect.flip(mesh.dequeue(Stream.audit.name, subject)))._tag, "MeshUnavailable")
      assert.strictEqual(told(yield* mesh.read(Stream.audit.name, subject)), "c")
    })
  )

  claim("dequeue() removes values by name and by wildcard, and is content where there is nothing", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const at = (id: string) => Subject.chunk(`${root}.1m`, 0, id)
      const root = fresh()
      for (const id of ["a", "b", "c"]) yield* mesh.write(at(id), bytes(id))
      const saying = Effect.map(
        Effect.forEach(["a", "b", "c"], (id) => mesh.read(Stream.chunks.name, at(id))),
        (many) => many.map(told)
      )
      yield* mesh.dequeue(Stream.chunks.name, at("b"))
      assert.deepStrictEqual(yield* saying, ["a", "absent", "c"])
      yield* mesh.dequeue(Stream.chunks.name, at("b"))
      yield* mesh.dequeue(Stream.chunks.name, at("*"))
      assert.deepStrictEqual(yield* saying, ["absent", "absent", "absent"])
    })
  )

  claim("publish() to what a stream captures is stored as any write", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const { read, subject, write } = yield* recordAt(Stream.actors)
      const first = yield* write("a")
      yield* mesh.publish(subject, bytes("b"))
      yield* untilTrue(
        "it is stored",
        Effect.map(read, (stored) => told(stored) === "b")
      )
      assert.strictEqual(revisionOf(yield* read), first + 1)
    })
  )

  claim("a stream that is not there is told", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const asked: ReadonlyArray<Effect.Effect<unknown, { readonly _tag: string }>> = [
        mesh.read("nowhere", "a"),
        mesh.readMany("nowhere", ["a"]),
        mesh.dequeue("nowhere", "a"),
        mesh.take("nowhere", "interactive"),
        mesh.take(Stream.queue.name, "nobody"),
        mesh.enqueue(`nowhere.${fresh()}`, bytes("a"))
      ]
      for (const one of asked) assert.strictEqual((yield* Effect.flip(one))._tag, "MeshUnavailable")
    })
  )
}

/** Declares the claims about records. */
export const claimRecords = (claim: Claim): void => {
  recordClaims(claim)
  sequenceClaims(claim)
  endClaims(claim)
  manyClaims(claim)
  streamClaims(claim)
}
