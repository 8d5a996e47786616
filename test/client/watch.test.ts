/** Is each change of coverage told once, in order, whatever is announced? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Option, Schema, Scope } from "effect"
import * as Link from "../../client/Link.ts"
import { makeClient } from "../../client/SeamlessClient.ts"
import { watch, type Watched, type WatchOptions } from "../../client/watch.ts"
import type { CoverageChange } from "../../client/CoverageChange.ts"
import { CoverageRoot, rolledBackBy, rolledBackCause } from "../../protocol/history/CoverageRoot.ts"
import * as Codec from "../../protocol/wire/Codec.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import { keySubject } from "../../protocol/wire/StreamSpec.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import * as MemoryMesh from "../../runtime/MemoryMesh.ts"
import { Mesh, type MeshShape } from "../../runtime/Mesh.ts"
import { bytesOfRoot, rootAfter, rootsOf } from "../support/auditedRoots.ts"
import { rangesOf, series } from "../support/jobs.ts"

const key = Subject.series(series.nodeId, series.interval)

/** Each adds the range of its number. */
const roots = rootsOf(Array.from({ length: 200 }, (_, at) => ({ added: rangesOf([at * 10, at * 10 + 5]) })))

const makeMesh = Effect.provide(Effect.service(Mesh), MemoryMesh.layer)

const stand = (mesh: MeshShape, root: CoverageRoot, at = key) => {
  const state = Schema.encodeSync(CoverageRoot)(root)
  const record = { format: 1, slotEpoch: 1, epoch: 1, owner: "me", nonce: "n", state }
  return mesh.write(keySubject(Stream.coverage, at), Codec.toJson(record))
}

/** Commits as the owner does: the root before is in the audit when the next one stands. */
const commit = Effect.fnUntraced(function* (mesh: MeshShape, all: ReadonlyArray<CoverageRoot>) {
  for (const root of all) {
    const before = roots[root.version - 2]
    if (before !== undefined) yield* mesh.write(Subject.audit(key), bytesOfRoot(before))
    yield* mesh.write(Subject.audit("b.1m"), bytesOfRoot(root))
    yield* stand(mesh, root)
  }
})

const pullOf = (mesh: MeshShape, watched: Watched = series, options: WatchOptions = {}) =>
  watch({ mesh, servers: "memory", timeoutMs: 1000 }, watched, options)

const take = Effect.fnUntraced(function* (pull: Effect.Success<ReturnType<typeof pullOf>>, count: number) {
  const taken: Array<CoverageChange> = []
  while (taken.length < count) {
    const change = yield* pull
    if (Option.isNone(change)) break
    taken.push(change.value)
  }
  return taken
})

const versions = (changes: ReadonlyArray<CoverageChange>) => changes.map(({ version }) => version)

const upTo = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at)

describe("watch", () => {
  it.live("tells what stands first, and then each change with what it did", () =>
    Effect.gen(function* () {
      const mesh = yield* makeMesh
      yield* commit(mesh, roots.slice(0, 3))
      const pull = yield* pullOf(mesh)
      assert.deepStrictEqual(versions(yield* take(pull, 1)), [3])
      yield* commit(mesh, roots.slice(3, 4))
      const [change] = yield* take(pull, 1)
      assert.deepInclude(change, {
        ...series,
        version: 4,
        added: [[30, 35]],
        removed: [],
        jobs: ["0.4"],
        source: "binance",
        cause: "request-4",
        isRolledBack: false,
        missedVersions: 0,
        coverageRangesFrom: null
      })
      assert.deepStrictEqual(change?.coverageRanges.at(-1), [30, 35])
    })
  )

  it.live("who is slow, or was away, is told of each version in order", () =>
    Effect.gen(function* () {
      const mesh = yield* makeMesh
      yield* commit(mesh, roots.slice(0, 3))
      const pull = yield* pullOf(mesh)
      yield* take(pull, 1)
      yield* commit(mesh, roots.slice(3))
      assert.deepStrictEqual(versions(yield* take(pull, 197)), upTo(4, 200))
    })
  )

  it.live("from a version on, all of the history that there is, and no more where it is to end there", () =>
    Effect.gen(function* () {
      const mesh = yield* makeMesh
      yield* commit(mesh, roots)
      const told = yield* take(yield* pullOf(mesh, series, { from: 71, once: true }), 1000)
      assert.deepStrictEqual(versions(told), upTo(71, 200))
      assert.isTrue(told.every(({ missedVersions }) => missedVersions === 0))
      const later = yield* take(yield* pullOf(mesh, series, { from: 201, once: true }), 1000)
      assert.deepStrictEqual(later, [])
    })
  )

  it.live("a change that comes while nobody looks wakes who waits", () =>
    Effect.gen(function* () {
      const mesh = yield* makeMesh
      const pull = yield* pullOf(mesh)
      const waiting = yield* Effect.forkChild(take(pull, 2), { startImmediately: true })
      yield* commit(mesh, roots.slice(0, 2))
      assert.deepStrictEqual(versions(yield* Fiber.join(waiting)), [1, 2])
    })
  )

  it.live("of all series each is told, and one that begins later from its first version on", () =>
    Effect.gen(function* () {
      const mesh = yield* makeMesh
      const other = { nodeId: "b", interval: "1m" }
      yield* stand(mesh, { ...roots[4]!, series: other }, "b.1m")
      const pull = yield* pullOf(mesh, {})
      assert.deepInclude((yield* take(pull, 1))[0], { nodeId: "b", version: 5 })
      const waiting = yield* Effect.forkChild(take(pull, 3), { startImmediately: true })
      yield* commit(mesh, roots.slice(0, 3))
      assert.deepStrictEqual(versions(yield* Fiber.join(waiting)), [1, 2, 3])
    })
  )

  it.live("a record that changes without its root is no change", () =>
    Effect.gen(function* () {
      const mesh = yield* makeMesh
      yield* commit(mesh, roots.slice(0, 1))
      const pull = yield* pullOf(mesh)
      yield* take(pull, 1)
      yield* stand(mesh, roots[0]!)
      yield* stand(mesh, roots[0]!)
      yield* commit(mesh, roots.slice(1, 2))
      assert.deepStrictEqual(versions(yield* take(pull, 1)), [2])
    })
  )

  it.live("storage that was rolled back is told, and what was told before is not told again", () =>
    Effect.gen(function* () {
      const mesh = yield* makeMesh
      yield* commit(mesh, roots.slice(0, 3))
      const pull = yield* pullOf(mesh)
      yield* take(pull, 1)
      const root = rootAfter(roots[1]!, { removed: rangesOf([0, 5]) })
      const back = { ...root, version: 2 + rolledBackBy, diff: { ...root.diff, cause: rolledBackCause } }
      yield* stand(mesh, roots[1]!)
      yield* mesh.write(Subject.audit(key), bytesOfRoot(back))
      yield* stand(mesh, back)
      const [change] = yield* take(pull, 1)
      assert.deepInclude(change, {
        version: 2 + rolledBackBy,
        isRolledBack: true,
        missedVersions: 0,
        removed: [[0, 5]]
      })
    })
  )

  it.live("versions that are no longer kept are counted", () =>
    Effect.gen(function* () {
      const mesh = yield* makeMesh
      for (const root of roots.slice(10, 12)) yield* mesh.write(Subject.audit(key), bytesOfRoot(root))
      yield* stand(mesh, roots[12]!)
      const told = yield* take(yield* pullOf(mesh, series, { from: 5, once: true }), 10)
      assert.deepStrictEqual(
        told.map(({ missedVersions, version }) => [version, missedVersions]),
        [
          [11, 6],
          [12, 0],
          [13, 0]
        ]
      )
    })
  )

  it.live.each<readonly [Watched, WatchOptions, string]>([
    [{ interval: "1m" }, {}, "interval"],
    [{}, { from: 1 }, "from"],
    [{ nodeId: "a" }, { from: 1 }, "from"],
    [series, { from: 0 }, "from"],
    [series, { from: 1.5 }, "from"]
  ])("%o with %o is refused", ([watched, options, field]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Effect.asVoid(pullOf(yield* makeMesh, watched, options)))
      assert.deepInclude(error, { tag: "InvalidRequest", code: 400 })
      assert.strictEqual(error.fields["field"], field)
    })
  )

  it.live("ends at once when its client is closed", () =>
    Effect.gen(function* () {
      const mesh = yield* makeMesh
      yield* commit(mesh, roots.slice(0, 1))
      const scope = yield* Scope.make()
      const session = { mesh, servers: "memory", timeoutMs: 1000, link: yield* Scope.provide(Link.make(mesh), scope) }
      const pull = yield* watch(session, series, {})
      yield* take(pull, 1)
      const waiting = yield* Effect.forkChild(Effect.flip(pull), { startImmediately: true })
      const startMs = performance.now()
      yield* Scope.close(scope, Exit.void)
      const error = yield* Fiber.join(waiting)
      assert.deepInclude(error, { tag: "MeshUnavailable", code: 503 })
      assert.include(error.message, "the client is closed")
      // it looks by itself every five seconds
      assert.isBelow(performance.now() - startMs, 2000)
    })
  )

  it.live("a root of a form that this build does not know ends the watch", () =>
    Effect.gen(function* () {
      const mesh = yield* makeMesh
      yield* mesh.write(keySubject(Stream.coverage, key), Codec.toJson({ format: 2 }))
      const pull = yield* pullOf(mesh)
      assert.strictEqual((yield* Effect.flip(pull)).tag, "MalformedMessage")
    })
  )
})

describe("a connection that was away", () => {
  const seriesCount = 150
  const keyAt = (at: number) => `n${at}.1m`

  /** Commits a version of each series; the roots before are in its audit by then. */
  const commitAll = Effect.fnUntraced(function* (mesh: MeshShape, version: number) {
    for (let at = 0; at < seriesCount; at++) {
      const of = (root: CoverageRoot) => ({ ...root, series: { nodeId: `n${at}`, interval: "1m" } })
      const before = roots[version - 2]
      if (before !== undefined) yield* mesh.write(Subject.audit(keyAt(at)), bytesOfRoot(of(before)))
      yield* stand(mesh, of(roots[version - 1]!), keyAt(at))
    }
  })

  it.live("of all series, each change that nobody announced is told once and in order, a page at a time", () =>
    Effect.gen(function* () {
      const store = yield* makeMesh
      const handlers: Array<() => void> = []
      let isAway = false
      let looks = 0
      let atOnceMost = 0
      const mesh: MeshShape = {
        ...store,
        onReconnect: (handler) => Effect.sync(() => void handlers.push(handler)),
        subscribe: (subject, handler, options) =>
          store.subscribe(subject, (message) => void (isAway || handler(message)), options),
        history: (stream, subject, options) =>
          Effect.tap(store.history(stream, subject, options), ({ entries }) =>
            Effect.sync(() => {
              looks += 1
              atOnceMost = Math.max(atOnceMost, entries.length)
            })
          )
      }
      yield* commitAll(mesh, 1)
      const pull = yield* pullOf(mesh, {})
      const first = yield* take(pull, seriesCount)
      isAway = true
      for (const version of [2, 3, 4]) yield* commitAll(mesh, version)
      isAway = false
      looks = 0
      for (const handler of handlers) handler()
      const told = [...first, ...(yield* take(pull, 3 * seriesCount))]
      for (let at = 0; at < seriesCount; at++) {
        assert.deepStrictEqual(versions(told.filter(({ nodeId }) => nodeId === `n${at}`)), [1, 2, 3, 4])
      }
      // what is told is held, and nothing else: a page of roots, and a search of one audit at a time
      assert.isAtMost(atOnceMost, 64)
      assert.isAtMost(looks, 8 * seriesCount)

      // once more, with nothing new: it is looked at, and not told
      for (const handler of handlers) handler()
      yield* commitAll(mesh, 5)
      assert.deepStrictEqual(new Set(versions(yield* take(pull, seriesCount))), new Set([5]))
    })
  )
})

describe("client.watch", () => {
  const clientOf = (mesh: MeshShape) =>
    makeClient({ mesh, servers: "memory", timeoutMs: 1000 }, () => Promise.resolve())

  it.live("goes into for await, and is over when the loop is left", () =>
    Effect.gen(function* () {
      const mesh = yield* makeMesh
      yield* commit(mesh, roots.slice(0, 5))
      const told = yield* Effect.promise(async () => {
        const seen: Array<number> = []
        for await (const { version } of clientOf(mesh).watch(series, { from: 2 })) if (seen.push(version) === 3) break
        return seen
      })
      assert.deepStrictEqual(told, [2, 3, 4])
    })
  )

  it.live("rejects when its signal is given, and is over when it is left while it waits", () =>
    Effect.gen(function* () {
      const client = clientOf(yield* makeMesh)
      yield* Effect.promise(async () => {
        const controller = new AbortController()
        const waiting = client.watch(series, { signal: controller.signal }).next()
        controller.abort(new Error("enough"))
        const error: unknown = await waiting.catch((cause: unknown) => cause)
        assert.deepInclude(error, { tag: "Cancelled" })

        const left = client.watch(series)
        const next = left.next()
        await left.return()
        assert.deepStrictEqual(await next, { done: true, value: undefined })
        assert.deepStrictEqual(await left.next(), { done: true, value: undefined })
      })
    })
  )
})
