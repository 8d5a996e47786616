/** Do operators learn what has happened to a series, and why, from any host? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, Option } from "effect"
import * as HistoryAdmin from "../../../actors/admin/HistoryAdmin.ts"
import { accountActor } from "../../../actors/budget/AccountActor.ts"
import { accountsOf } from "../../../actors/budget/AccountTerms.ts"
import * as UpstreamClient from "../../../actors/budget/UpstreamClient.ts"
import * as CoverageRecord from "../../../actors/coverage/CoverageRecord.ts"
import * as ChunkStore from "../../../actors/sources/ChunkStore.ts"
import { DataSources } from "../../../actors/sources/DataSource.ts"
import * as PastRoots from "../../../actors/sources/PastRoots.ts"
import * as SeriesCatalog from "../../../actors/sources/SeriesCatalog.ts"
import type { AdminAnswer } from "../../../client/admin.ts"
import type { MissingRange } from "../../../protocol/history/MissingRange.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { writeJob } from "../../../protocol/messages/Backfill.ts"
import { Backfills } from "../../../protocol/messages/Backfills.ts"
import { Sweeper } from "../../../protocol/messages/Sweep.ts"
import { type Commit, Coverage } from "../../../protocol/messages/Coverage.ts"
import { Verifier } from "../../../protocol/messages/Verify.ts"
import * as ActorSubject from "../../../protocol/wire/ActorSubject.ts"
import * as Codec from "../../../protocol/wire/Codec.ts"
import { Header } from "../../../protocol/wire/Header.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import { keySubject } from "../../../protocol/wire/StreamSpec.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import { layerLocal } from "../../../runtime/ActorSystem.ts"
import { HostStatus } from "../../../runtime/HostStatus.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { Mesh } from "../../../runtime/Mesh.ts"
import { jobOf, rangesOf } from "../../support/jobs.ts"
import * as Switches from "../../../runtime/Switches.ts"

type Audit = AdminAnswer<"audit">

const series = { nodeId: "a", interval: "1m" }
const key = Subject.series("a", "1m")
const dayMs = 86_400_000
const minutes = (start: number, end: number): Range => [start * 60_000, end * 60_000]

const configuration = {
  sources: { binance: { kind: "exchange", exchange: "binance", baseUrl: "http://127.0.0.1:9" } },
  series: [{ node: "a", intervals: ["1m"], sources: ["binance"], symbol: "BTC/BUSD" }]
} as const

// it drains from the start, which must not keep operators from answers
const status = Layer.succeed(HostStatus, {
  state: () => "draining" as const,
  reason: () => "",
  draining: Effect.void
})

// jobs, plans and backfills are asked of actors elsewhere: whoever asks here breaks the test
const unasked = Layer.mergeAll(
  Layer.mock(Coverage)({ known: () => undefined }),
  Layer.mock(Backfills)({}),
  Layer.mock(Verifier)({}),
  Layer.mock(Sweeper)({}),
  Layer.succeed(DataSources, new Map())
)

const systemOn = (mesh: Layer.Layer<Mesh>) =>
  HistoryAdmin.layer.pipe(
    Layer.provide(Layer.merge(UpstreamClient.layer(configuration), Switches.layer)),
    Layer.provideMerge(layerLocal([accountActor(accountsOf(configuration))])),
    Layer.provide(PastRoots.layer(Infinity)),
    Layer.provideMerge(
      Layer.mergeAll(status, unasked, SeriesCatalog.layer(configuration), ChunkStore.layer(1024 * 1024))
    ),
    Layer.provideMerge(mesh),
    Layer.provideMerge(Logger.layer([]))
  )

const system = systemOn(MemoryMesh.layer)

const ask = Effect.fnUntraced(function* (body: object) {
  const mesh = yield* Mesh
  const subject = ActorSubject.admin("alice", "audit")
  const reply = yield* mesh.request(subject, Codec.toJson({ ...series, ...body }), { timeoutMs: 20_000 })
  return { code: reply.headers.get(Header.errorCode), body: JSON.parse(new TextDecoder().decode(reply.data)) }
})

const audit = (body: object = {}): Effect.Effect<Audit, unknown, Mesh> =>
  Effect.map(ask(body), ({ body: answer, code }) => {
    assert.isUndefined(code, JSON.stringify(answer))
    return answer
  })

/** The coverage of the series in the hands of an owner, and commits to it. */
const owner = Effect.gen(function* () {
  const catalog = yield* SeriesCatalog.SeriesCatalog
  const address = { type: "coverage", key }
  const activation = { address, owner: "me", slot: "3", slotEpoch: 1 }
  const record = yield* CoverageRecord.open(yield* catalog.find("a", "1m"), activation)
  let commits = 0
  const chunks = new Map<number, { readonly id: string; readonly ranges: RangeSet.RangeSet }>()
  /** Tells that this time of a day is covered, and of which is known why it is not. */
  const commit = (day: number, ranges: RangeSet.RangeSet, exceptions: ReadonlyArray<MissingRange> = []) => {
    commits += 1
    const windowStart = day * dayMs
    const before = chunks.get(day)
    const chunk = { id: `chunk-${commits}`, ranges: RangeSet.union(before?.ranges ?? RangeSet.empty, ranges) }
    chunks.set(day, chunk)
    const message: Commit = {
      series,
      windows: [
        {
          windowStart,
          generation: 0,
          base: before?.id ?? null,
          chunk: { ...chunk, source: "binance", contentHash: `of ${chunk.id}`, rows: 1, lastEventTime: windowStart }
        }
      ],
      answered: ranges,
      exceptions,
      jobs: [`${windowStart}.${commits}`],
      source: "binance",
      cause: `request-${commits}`
    }
    return record.commit(message)
  }
  return { record, commit }
})

const partsOf = ({ explanation }: Audit) =>
  explanation?.parts.map(({ change, end, job, start, state }) => [
    start / 60_000,
    end / 60_000,
    state,
    change?.version ?? job?.id ?? null
  ])

const fill = Effect.gen(function* () {
  const mesh = yield* Mesh
  const { commit } = yield* owner
  const deferred = { start: 600_000, end: 720_000, state: "deferred", reason: "too soon", retryAt: 7 } as const
  yield* commit(0, rangesOf(minutes(0, 5)))
  yield* commit(0, rangesOf(minutes(5, 10)), [deferred])
  const job = jobOf({
    series,
    windowStart: 0,
    ranges: rangesOf(minutes(15, 20)),
    state: "FAILED",
    attempts: 3,
    nextAttemptAt: 99,
    failure: { tag: "SourceUnavailable", message: "HTTP 500", source: "binance" }
  })
  yield* mesh.write(keySubject(Stream.jobs, Subject.window(key, 0)), writeJob(job))
})

describe("audit", () => {
  it.live("tells of each change, and why each part of a range is as it is", () =>
    Effect.gen(function* () {
      yield* fill
      const told = yield* audit({ from: 0, to: 1_500_000 })
      assert.deepInclude(told, { ...series, version: 2, olderBefore: null, unreadable: 0 })
      assert.deepStrictEqual(
        told.changes.map(({ added, cause, jobs, source, version, versionBefore }) => [
          [version, versionBefore, source, cause],
          [added, jobs]
        ]),
        [
          [
            [1, 0, "binance", "request-1"],
            [[minutes(0, 5)], ["0.1"]]
          ],
          [
            [2, 1, "binance", "request-2"],
            [[minutes(5, 10)], ["0.2"]]
          ]
        ]
      )
      assert.strictEqual(told.explanation?.until, 1_500_000)
      assert.deepStrictEqual(partsOf(told), [
        [0, 5, "covered", 1],
        [5, 10, "covered", 2],
        [10, 12, "deferred", null],
        [12, 15, "missing", null],
        [15, 20, "failed", "0.1"],
        [20, 25, "missing", null]
      ])
      const [, , soon, , failed] = told.explanation?.parts ?? []
      assert.deepStrictEqual(soon?.exception, { state: "deferred", reason: "too soon", retryAt: 7 })
      assert.deepInclude(failed?.job, { attempts: 3, nextAttemptAt: 99, state: "FAILED" })
      assert.deepStrictEqual(failed?.job?.failure?.message, "HTTP 500")
    }).pipe(Effect.provide(system))
  )

  it.live(
    "tells of a range the changes that touch it, of no range no explanation, and of each but what is wanted",
    () =>
      Effect.gen(function* () {
        yield* fill
        const told = yield* audit({ from: 360_000, to: 420_000 })
        assert.deepStrictEqual(
          told.changes.map(({ added, version }) => [version, added]),
          [[2, [minutes(6, 7)]]]
        )
        const newest = yield* audit({ limit: 1 })
        assert.deepStrictEqual([newest.changes.length, newest.olderBefore], [1, 2])
        assert.notProperty(newest, "explanation")
        assert.notProperty(newest, "verdict")
        const older = yield* audit({ limit: 1, beforeVersion: 2 })
        assert.deepStrictEqual([older.changes[0]?.version, older.olderBefore], [1, null])
      }).pipe(Effect.provide(system))
  )

  it.live("tells of time that is out of reach what the configuration says, which is in no root", () =>
    Effect.gen(function* () {
      const soon = Math.ceil(Date.now() / 60_000) * 60_000 + 3_600_000
      const { explanation } = yield* audit({ from: soon, to: soon + 60_000 })
      assert.deepStrictEqual(
        explanation?.parts.map(({ exception, state }) => [state, exception?.reason]),
        [["deferred", "its bars are not final yet"]]
      )
      assert.match(explanation?.parts[0]?.exception?.evidence ?? "", /^configured: bars of binance are final 1000 ms /)
    }).pipe(Effect.provide(system))
  )

  it.live("of a series that has nothing, and of an interval that is spelt otherwise", () =>
    Effect.gen(function* () {
      const told = yield* audit({ interval: "60s", from: 0, to: 60_000, verify: true })
      assert.deepStrictEqual([told.interval, told.version, told.changes], ["1m", 0, []])
      assert.deepStrictEqual(partsOf(told), [[0, 1, "missing", null]])
      assert.deepStrictEqual(told.verdict, { holds: true, entries: 0, firstBreak: null })
    }).pipe(Effect.provide(system))
  )

  it.live("replays to all that is covered, also what a root leaves to its pages", () =>
    Effect.gen(function* () {
      const { commit, record } = yield* owner
      // every other minute of two days: more ranges than a root holds
      const halves = (day: number) =>
        RangeSet.make(Array.from({ length: 720 }, (_, at) => minutes(day * 1440 + 2 * at, day * 1440 + 2 * at + 1)))
      yield* commit(0, halves(0))
      yield* commit(1, halves(1))
      assert.isNotNull(record.root().coveredInPagesBefore)
      const told = yield* audit({ verify: true, from: 0, to: 120_000 })
      assert.deepStrictEqual(told.verdict, { holds: true, entries: 2, firstBreak: null })
      assert.deepStrictEqual(partsOf(told), [
        [0, 1, "covered", 1],
        [1, 2, "missing", null]
      ])
    }).pipe(Effect.provide(system))
  )

  it.live("goes no further than it looks for jobs, and says how far that is", () =>
    Effect.gen(function* () {
      yield* fill
      const told = yield* audit({ from: 60_000, to: 8_000_000_000_000 })
      assert.strictEqual(told.explanation?.until, 4096 * dayMs)
      assert.deepStrictEqual(partsOf(told)?.[0], [1, 5, "covered", 1])
      assert.strictEqual(told.explanation?.parts.at(-1)?.end, 4096 * dayMs)
    }).pipe(Effect.provide(system))
  )

  it.live("goes no further than so many covered ranges, and says how far that is", () =>
    Effect.gen(function* () {
      const { commit } = yield* owner
      for (let day = 0; day < 8; day++) {
        const first = day * 1440
        yield* commit(
          day,
          RangeSet.make(Array.from({ length: 720 }, (_, at) => minutes(first + 2 * at, first + 2 * at + 1)))
        )
      }
      const told = yield* audit({ from: 0, to: 8 * dayMs })
      assert.deepStrictEqual(partsOf(told)?.at(-1), [2 * 4999, 2 * 4999 + 1, "covered", 7])
      assert.lengthOf(told.explanation?.parts ?? [], 9999)
      assert.strictEqual(told.explanation?.until, 9999 * 60_000)
    }).pipe(Effect.provide(system))
  )

  it.live("fits into what the server carries: the first parts, and the newest changes", () =>
    Effect.gen(function* () {
      const small = Layer.effect(
        Mesh,
        Effect.map(Mesh, (mesh) => Mesh.of({ ...mesh, payloadBytesMax: () => 4096 + 5000 }))
      ).pipe(Layer.provide(MemoryMesh.layer))
      yield* Effect.gen(function* () {
        const { commit } = yield* owner
        for (let count = 0; count < 40; count++) yield* commit(0, rangesOf(minutes(3 * count, 3 * count + 2)))
        const told = yield* audit({ from: 0, to: 120 * 60_000 })
        const [parts, changes] = [told.explanation?.parts ?? [], told.changes]
        assert.isTrue(parts.length > 3 && parts.length < 80, String(parts.length))
        assert.strictEqual(told.explanation?.until, parts.at(-1)?.end)
        assert.isTrue(changes.length > 3 && changes.length < 40, String(changes.length))
        assert.strictEqual(changes.at(-1)?.version, 40)
        assert.strictEqual(told.olderBefore, changes[0]?.version)
      }).pipe(Effect.provide(systemOn(small)))
    })
  )

  it.live("says where a history does not hold, and tells the rest of it", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      yield* fill
      const { body } = yield* ask({ verify: true })
      assert.strictEqual(body.verdict.holds, true)
      yield* mesh.write(Subject.audit(key), Codec.toJson({ version: 3 }))
      const torn = yield* audit({ verify: true })
      assert.deepInclude(torn, { unreadable: 1, version: 2 })
      assert.lengthOf(torn.changes, 2)
      assert.deepInclude(torn.verdict, { holds: false, entries: 2 })
      assert.deepInclude(torn.verdict?.firstBreak, { kind: "unreadable", version: 3, sequence: 3 })
    }).pipe(Effect.provide(system))
  )

  it.live("takes a history that begins later as whole where a sweep has noted that, whatever is configured now", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const { commit } = yield* owner
      for (const from of [0, 5, 10]) yield* commit(0, rangesOf(minutes(from, from + 5)))
      const { entries } = yield* mesh.names(Stream.audit.name, Subject.audit(key))
      yield* mesh.remove(Stream.audit.name, entries[0]!.revision)
      const lost = yield* audit({ verify: true })
      assert.deepInclude(lost.verdict, { holds: false, entries: 0 })
      assert.deepInclude(lost.verdict?.firstBreak, { kind: "version", version: 2, sequence: entries[1]!.revision })
      yield* mesh.write(Subject.audit(key, "swept"), Codec.toJson({ format: 1, version: 2, committedAt: 1 }))
      const swept = yield* audit({ verify: true })
      assert.deepInclude(swept.verdict, { holds: true, entries: 2, firstBreak: null, fromVersion: 2 })
    }).pipe(Effect.provide(system))
  )

  it.live("says that the root is behind its history where storage was rolled back", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const rootSubject = keySubject(Stream.coverage, key)
      const { commit } = yield* owner
      yield* commit(0, rangesOf(minutes(0, 5)))
      const stored = Option.getOrThrow(yield* mesh.read(Stream.coverage.name, rootSubject))
      yield* commit(0, rangesOf(minutes(5, 10)))
      yield* mesh.write(rootSubject, Option.getOrThrow(stored.value))
      const { verdict, version } = yield* audit({ verify: true })
      assert.strictEqual(version, 1)
      assert.deepInclude(verdict?.firstBreak, { kind: "standing", version: 1, sequence: null })
      // the next owner goes on from there, and its history holds
      const { record } = yield* owner
      assert.deepInclude((yield* audit({ verify: true })).verdict, { holds: true, entries: 3 })
      assert.isAbove(record.root().version, 2 ** 20)
      assert.deepStrictEqual(partsOf(yield* audit({ from: 240_000, to: 360_000 })), [
        [4, 5, "covered", 1],
        [5, 6, "removed", record.root().version]
      ])
    }).pipe(Effect.provide(system))
  )

  it.live("refuses what is no request, and a series that nobody knows", () =>
    Effect.gen(function* () {
      for (const [body, problem] of [
        [{ from: 0 }, /both from and to/],
        [{ from: 5, to: 5 }, /from comes first/],
        [{ limit: 0 }, /limit: .*1/],
        [{ limit: 1001 }, /limit/],
        [{ nodeId: "" }, /nodeId/],
        [{ since: 1 }, /since/]
      ] as const) {
        const { body: answer, code } = yield* ask(body)
        assert.deepStrictEqual([code, answer.error.tag], ["400", "InvalidAdminRequest"])
        assert.match(answer.error.message, problem)
      }
      const { body: answer, code } = yield* ask({ nodeId: "b" })
      assert.strictEqual(code, "404")
      assert.deepInclude(answer.error, { tag: "UnknownSeries", nodeId: "b", known: ["a"] })
    }).pipe(Effect.provide(system))
  )
})

describe("upstreams", () => {
  it.live("tells how every account stands, also one that nothing was asked of", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const reply = yield* mesh.request(ActorSubject.admin("alice", "upstreams"), Codec.toJson({}), {
        timeoutMs: 20_000
      })
      const told: AdminAnswer<"upstreams"> = JSON.parse(new TextDecoder().decode(reply.data))
      assert.deepStrictEqual(told.silent, [])
      assert.deepStrictEqual(
        told.accounts.map(({ account, circuits, inFlight }) => [account, inFlight, circuits.map(({ state }) => state)]),
        [["binance", 0, ["closed"]]]
      )
    }).pipe(Effect.provide(system))
  )
})
