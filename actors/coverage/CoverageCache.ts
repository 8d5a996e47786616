/**
 * What does this host know of the coverage of all series?
 *
 * The single owner of cached coverage on a host. Changes of roots are announced on core NATS with their revision; a
 * root is read again when one newer than the cached was announced, after a reconnection, and now and then.
 */
import { Effect, Layer, Option, Semaphore } from "effect"
import { Span } from "../../protocol/Telemetry.ts"
import { type CoverageRoot, initial } from "../../protocol/history/CoverageRoot.ts"
import * as InlineCoverage from "../../protocol/history/InlineCoverage.ts"
import type { Series } from "../../protocol/history/Series.ts"
import { Coverage, commitMessage, ensureMessage, type Freshness } from "../../protocol/messages/Coverage.ts"
import { readRoot } from "../../protocol/messages/readRoot.ts"
import { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import { keySubject } from "../../protocol/wire/StreamSpec.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import * as Announcement from "../../protocol/wire/Announcement.ts"
import { ActorSystem, ask } from "../../runtime/ActorSystem.ts"
import { revisionOf } from "../../runtime/compareAndSet.ts"
import { monotonicMs } from "../../runtime/Deadline.ts"
import * as Invariants from "../../runtime/Invariants.ts"
import { Mesh } from "../../runtime/Mesh.ts"
import { ChunkStore } from "../sources/ChunkStore.ts"
import { SeriesCatalog } from "../sources/SeriesCatalog.ts"
import * as KnownRoots from "./KnownRoots.ts"

// a read may be older than what was announced, until its replica has caught up
const catchUpTries = 50
const catchUpPause = "20 millis"

const keyOf = (series: Series): string => Subject.series(series.nodeId, series.interval)

/** How a view is read from KV; a series without a record has the root that it would begin with. */
const makeLoad = Effect.gen(function* () {
  const mesh = yield* Mesh
  const store = yield* ChunkStore
  const catalog = yield* SeriesCatalog

  const emptyRoot = Effect.fnUntraced(function* (series: Series) {
    const entry = yield* Effect.orDie(catalog.find(series.nodeId, series.interval))
    return initial(series, { windowBars: entry.grid.windowBars, schemaVersion: entry.schema.version })
  })

  const viewOf = Effect.fnUntraced(function* (root: CoverageRoot) {
    if (root.coveredInPagesBefore === null) return { root, covered: root.covered }
    const pages = yield* store.pages(
      root.series,
      root.pages.map(({ id }) => id)
    )
    return { root, covered: InlineCoverage.whole(root, pages) }
  })

  return Effect.fnUntraced(function* (series: Series) {
    const readAtMs = yield* monotonicMs
    const stored = yield* mesh.read(Stream.coverage.name, keySubject(Stream.coverage, keyOf(series)))
    const value = Option.flatMap(stored, (record) => record.value)
    const found = yield* Effect.fromResult(readRoot(keyOf(series), value))
    const root = Option.getOrUndefined(found) ?? (yield* emptyRoot(series))
    const known: KnownRoots.KnownRoot = { view: yield* viewOf(root), revision: revisionOf(stored), readAtMs }
    return known
  })
})

const make = Effect.gen(function* () {
  const mesh = yield* Mesh
  const load = yield* makeLoad
  const system = yield* ActorSystem
  const loading = new Map<string, Semaphore.Semaphore>()
  const known = KnownRoots.make(yield* Invariants.noting)

  yield* mesh.subscribe(Announcement.changed("coverage"), (message) => {
    const key = Announcement.changedKey("coverage", message.subject)
    const revision = Number(message.headers.get("Nats-Sequence"))
    if (Option.isSome(key) && Number.isFinite(revision)) known.announce(key.value, revision)
  })
  yield* mesh.onReconnect(known.clear)

  /** One load of a series at a time: those who want it meanwhile take what it brings. */
  const oneAtATime = (key: string): Semaphore.Semaphore => {
    const gate = loading.get(key) ?? Semaphore.makeUnsafe(1)
    loading.set(key, gate)
    return gate
  }

  const loadNow = Effect.fnUntraced(function* (series: Series) {
    known.add(keyOf(series), yield* load(series))
  })

  const loadOnce = Effect.fnUntraced(function* (series: Series, minVersion: number) {
    if (known.fresh(keyOf(series), minVersion, yield* monotonicMs) === undefined) yield* loadNow(series)
  })

  const refresh = Effect.fn(Span.coverageCompute)(function* (series: Series, minVersion: number) {
    const key = keyOf(series)
    for (let tries = 0; tries < catchUpTries; tries++) {
      // the gate is held for one load, not for the wait: others of the series want what is there, not what is to come
      yield* oneAtATime(key).withPermits(1)(loadOnce(series, minVersion))
      const fresh = known.fresh(key, minVersion, yield* monotonicMs)
      if (fresh !== undefined) return fresh.view
      yield* Effect.sleep(catchUpPause)
    }
    // storage that was rolled back never brings it: who asks next is told what stands
    known.yieldTo(key, yield* load(series))
    return yield* new MeshUnavailable({
      operation: `read coverage of ${key}`,
      reason: `version ${minVersion} did not come`
    })
  })

  const of = Effect.fnUntraced(function* (series: Series, { fresh = false, minVersion = 0 }: Freshness = {}) {
    // a read that begins now: one that is under way may have begun before what the asker has to see
    if (fresh) yield* oneAtATime(keyOf(series)).withPermits(1)(loadNow(series))
    const found = known.fresh(keyOf(series), minVersion, yield* monotonicMs)
    return found?.view ?? (yield* refresh(series, minVersion))
  })

  const provided = Effect.provideService(ActorSystem, system)
  const askEnsure = ask(ensureMessage)
  const askCommit = ask(commitMessage)
  return Coverage.of({
    of,
    ensure: (request) => provided(askEnsure(keyOf(request.series), request)),
    commit: (commit) => provided(askCommit(keyOf(commit.series), commit))
  })
})

/** Coverage as a host knows it: read from KV and followed, changed by asking the actors. */
export const layer: Layer.Layer<Coverage, MeshUnavailable, Mesh | ChunkStore | SeriesCatalog | ActorSystem> =
  Layer.effect(Coverage, make)
