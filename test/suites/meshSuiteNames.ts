/** What must the port to NATS tell of what a stream keeps, and remove of it, whatever is behind it? */
import { assert } from "@effect/vitest"
import { Clock, Effect } from "effect"
import * as Stream from "../../protocol/wire/Stream.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import { Mesh } from "../../runtime/Mesh.ts"
import { bytes, type Claim, eventually, fresh, recordAt, told } from "./meshSuiteTools.ts"

/** The chunks of one series. */
const chunksOf = Effect.gen(function* () {
  const mesh = yield* Mesh
  const root = fresh()
  const at = (id: string) => Subject.chunk(`${root}.1m`, 0, id)
  const put = (id: string, text = id) => mesh.write(at(id), bytes(text))
  const page = (options: { readonly fromRevision?: number; readonly max?: number } = {}) =>
    mesh.names(Stream.chunks.name, Subject.chunk(`${root}.1m`, 0, "*"), options)
  const seen = (options: { readonly fromRevision?: number; readonly max?: number } = {}) =>
    Effect.map(page(options), ({ entries, isLast, left }) => ({
      ids: entries.map(({ subject }) => subject.slice(at("").length)),
      isLast,
      left
    }))
  const read = (id: string) => Effect.map(mesh.read(Stream.chunks.name, at(id)), told)
  return { mesh, at, put, page, seen, read }
})

const nameClaims = (claim: Claim): void => {
  claim("names() gives what a stream keeps of a subject, the oldest first, with its size and time", () =>
    Effect.gen(function* () {
      const { at, page, put, seen } = yield* chunksOf
      assert.deepStrictEqual(yield* seen(), { ids: [], isLast: true, left: 0 })
      const before = yield* Clock.currentTimeMillis
      const first = yield* put("a", "four")
      yield* put("b", "")
      const anew = yield* put("a", "sixsix")
      assert.isAbove(anew, first)
      yield* eventually(seen(), { ids: ["b", "a"], isLast: true, left: 0 })
      const [b, a] = (yield* page()).entries
      assert.deepInclude(a, { subject: at("a"), revision: anew, bytes: 6 })
      assert.deepInclude(b, { subject: at("b"), bytes: 0 })
      // the server's clock is this machine's
      for (const { atMs } of [a!, b!]) {
        assert.isAtLeast(atMs, before - 1000)
        assert.isAtMost(atMs, (yield* Clock.currentTimeMillis) + 1000)
      }
      // no name is of later than the page says that it was asked for
      const { entries, nowMs } = yield* page()
      assert.isAtLeast(nowMs, Math.max(...entries.map(({ atMs }) => atMs)))
      assert.isAtMost(nowMs, (yield* Clock.currentTimeMillis) + 1000)
      assert.isAtLeast((yield* page()).nowMs, nowMs)
    })
  )

  claim("names() come page by page from a revision on, and say how many are left", () =>
    Effect.gen(function* () {
      const { page, put, seen } = yield* chunksOf
      for (const id of ["a", "b", "c", "d", "e"]) yield* put(id)
      yield* eventually(seen({ max: 2 }), { ids: ["a", "b"], isLast: false, left: 3 })
      const last = (yield* page({ max: 2 })).entries.at(-1)!
      const fromRevision = last.revision + 1
      yield* eventually(seen({ fromRevision, max: 3 }), { ids: ["c", "d", "e"], isLast: true, left: 0 })
      yield* eventually(seen({ fromRevision: fromRevision + 1_000_000 }), { ids: [], isLast: true, left: 0 })
    })
  )

  claim("names() of a log are all its entries", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const subject = Subject.audit(`${fresh()}.1m`)
      const revisions = yield* Effect.forEach(["a", "b", "c"], (text) => mesh.write(subject, bytes(text)))
      const seen = Effect.map(mesh.names(Stream.audit.name, subject), ({ entries }) =>
        entries.map(({ revision }) => revision)
      )
      yield* eventually(seen, revisions)
    })
  )

  claim("names() of a stream that is not there is refused", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      assert.strictEqual((yield* Effect.flip(mesh.names("nowhere", "a")))._tag, "MeshUnavailable")
    })
  )
}

const removalClaims = (claim: Claim): void => {
  claim("remove() of a revision takes the one value away, and is content where it is gone", () =>
    Effect.gen(function* () {
      const { mesh, put, read, seen } = yield* chunksOf
      yield* put("a")
      const revision = yield* put("b")
      yield* put("c")
      yield* mesh.remove(Stream.chunks.name, revision)
      assert.deepStrictEqual([yield* read("a"), yield* read("b"), yield* read("c")], ["a", "absent", "c"])
      yield* eventually(seen(), { ids: ["a", "c"], isLast: true, left: 0 })
      yield* mesh.remove(Stream.chunks.name, revision)
      yield* mesh.remove(Stream.chunks.name, revision + 1_000_000)
      assert.strictEqual(yield* read("c"), "c")
    })
  )

  claim("remove() of the revision that somebody listed does not hit what was put afresh under the same name", () =>
    Effect.gen(function* () {
      const { mesh, page, put, read } = yield* chunksOf
      yield* put("a")
      yield* eventually(
        Effect.map(page(), ({ entries }) => entries.length),
        1
      )
      const [listed] = (yield* page()).entries
      yield* put("a")
      yield* mesh.remove(Stream.chunks.name, listed!.revision)
      assert.strictEqual(yield* read("a"), "a")
    })
  )

  claim("remove() of a log's entry leaves those around it, and the end that stands", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const subject = Subject.audit(`${fresh()}.1m`)
      const revisions = yield* Effect.forEach(["a", "b", "c"], (text) => mesh.write(subject, bytes(text)))
      yield* mesh.remove(Stream.audit.name, revisions[0]!)
      const seen = Effect.map(mesh.history(Stream.audit.name, subject), ({ entries }) =>
        entries.map(({ revision }) => revision)
      )
      yield* eventually(seen, revisions.slice(1))
      assert.strictEqual(told(yield* mesh.read(Stream.audit.name, subject)), "c")
      yield* mesh.write(subject, bytes("d"), { expect: revisions[2]! })
      assert.strictEqual(told(yield* mesh.read(Stream.audit.name, subject)), "d")
    })
  )

  claim("remove() of a record, and of a stream that is not there, is refused", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      for (const bucket of [Stream.actors, Stream.coverage, Stream.jobs, Stream.sessions]) {
        const { read, write } = yield* recordAt(bucket)
        const revision = yield* write("a")
        assert.strictEqual((yield* Effect.flip(mesh.remove(bucket.name, revision)))._tag, "MeshUnavailable")
        assert.strictEqual(told(yield* read), "a")
      }
      assert.strictEqual((yield* Effect.flip(mesh.remove("nowhere", 1)))._tag, "MeshUnavailable")
    })
  )
}

/** Declares the claims about what a stream keeps. */
export const claimNames = (claim: Claim): void => {
  nameClaims(claim)
  removalClaims(claim)
}
