/**
 * What does this host know of the coverage of all series?
 *
 * The single owner of cached coverage on a host. Changes of roots are announced on core NATS with their revision; a
 * root is read again when one newer than the cached was announced, after a reconnection, and now and then.
 */
import { Effect, Layer, Option, Semaphore } from "effect"
import { Span } from "../../protocol/Telemetry.ts"
import type { Series } from "../../protocol/history/Series.ts"
import { confirmMessage } from "../../protocol/messages/ConfirmCoverage.ts"
import {
  commitMessage,
  Coverage,
  type CoverageView,
  ensureMessage,
  type Freshness
} from "../../protocol/messages/Coverage.ts"
import { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import * as Announcement from "../../protocol/wire/Announcement.ts"
import { ActorSystem, ask } from "../../runtime/ActorSystem.ts"
import { clockMs, monotonicMs } from "../../runtime/Deadline.ts"
import * as Invariants from "../../runtime/Invariants.ts"
import { Mesh } from "../../runtime/Mesh.ts"
import type { ChunkStore } from "../sources/ChunkStore.ts"
import * as RootLog from "../sources/RootLog.ts"
import { seriesKey } from "../sources/seriesKey.ts"
import { SeriesCatalog } from "../sources/SeriesCatalog.ts"
import { wholeView } from "../sources/wholeView.ts"
import * as KnownRoots from "./KnownRoots.ts"

// a read may be older than what was announced, until its replica has caught up
const catchUpTries = 50
const catchUpPause = "20 millis"

/** How a view is read from KV; a series without a record has the root that it would begin with. */
const makeLoad = Effect.gen(function* () {
  const provide = Effect.provide(yield* Effect.context<Mesh | ChunkStore>())
  const catalog = yield* SeriesCatalog

  const emptyRoot = Effect.fnUntraced(function* (series: Series) {
    return RootLog.emptyRoot(yield* Effect.orDie(catalog.find(series.nodeId, series.interval)))
  })

  const load = Effect.fnUntraced(function* (series: Series) {
    const readAtMs = yield* monotonicMs
    const { revision, root: found } = yield* RootLog.standing({ series })
    const root = Option.getOrUndefined(found) ?? (yield* emptyRoot(series))
    const known: KnownRoots.KnownRoot = { view: yield* wholeView(root), revision, readAtMs }
    return known
  })
  return (series: Series) => provide(load(series))
})

/** What stands, or what was known last where that can't be read in time. */
const orLastKnown = <E, R>(
  mesh: Mesh["Service"],
  lastOf: (series: Series) => KnownRoots.KnownRoot | undefined,
  refresh: (series: Series, minVersion: number) => Effect.Effect<CoverageView, E | MeshUnavailable, R>
) =>
  Effect.fnUntraced(function* (series: Series, minVersion: number, afterMs: number) {
    const last = lastOf(series)
    if (last === undefined || last.view.root.version < minVersion) return yield* refresh(series, minVersion)
    // the wait of who asks is ended, and with it the question: others ask for themselves
    const standing = yield* refresh(series, minVersion).pipe(
      Effect.timeoutOption(mesh.connected() ? afterMs : 0),
      Effect.catchIf(
        (error): error is MeshUnavailable => error instanceof MeshUnavailable,
        () => Effect.succeed(Option.none<CoverageView>())
      )
    )
    const staleMs = Math.round((yield* monotonicMs) - last.readAtMs)
    return Option.getOrElse(standing, (): CoverageView => ({ ...last.view, staleMs }))
  })

/** The roots that are known, as long as nobody announces a newer one. */
const makeKnown = Effect.gen(function* () {
  const mesh = yield* Mesh
  const known = KnownRoots.make(yield* Invariants.noting)
  yield* mesh.subscribe(Announcement.changed("coverage"), (message) => {
    const key = Announcement.changedKey("coverage", message.subject)
    const revision = Number(message.headers.get("Nats-Sequence"))
    if (Option.isSome(key) && Number.isFinite(revision)) known.announce(key.value, revision)
  })
  yield* mesh.onReconnect(known.clear)
  return known
})

const make = Effect.gen(function* () {
  const mesh = yield* Mesh
  const load = yield* makeLoad
  const system = yield* ActorSystem
  const known = yield* makeKnown
  const loading = new Map<string, Semaphore.Semaphore>()
  const now = yield* clockMs

  /** One load of a series at a time: those who want it meanwhile take what it brings. */
  const oneAtATime = (key: string): Semaphore.Semaphore => {
    const gate = loading.get(key) ?? Semaphore.makeUnsafe(1)
    loading.set(key, gate)
    return gate
  }

  const loadNow = Effect.fnUntraced(function* (series: Series) {
    known.add(seriesKey(series), yield* load(series))
  })

  const freshView = (series: Series, minVersion: number): CoverageView | undefined =>
    known.fresh(seriesKey(series), minVersion, now())?.view

  const loadOnce = Effect.fnUntraced(function* (series: Series, minVersion: number) {
    if (freshView(series, minVersion) === undefined) yield* loadNow(series)
  })

  const refresh = Effect.fn(Span.coverageCompute)(function* (series: Series, minVersion: number) {
    const key = seriesKey(series)
    for (let tries = 0; tries < catchUpTries; tries++) {
      // the gate is held for one load, not for the wait: others of the series want what is there, not what is to come
      yield* oneAtATime(key).withPermits(1)(loadOnce(series, minVersion))
      const fresh = freshView(series, minVersion)
      if (fresh !== undefined) return fresh
      yield* Effect.sleep(catchUpPause)
    }
    // storage that was rolled back never brings it: who asks next is told what stands
    known.yieldTo(key, yield* load(series))
    return yield* new MeshUnavailable({
      operation: `read coverage of ${key}`,
      reason: `version ${minVersion} did not come`
    })
  })

  const orLast = orLastKnown(mesh, (series) => known.last(seriesKey(series)), refresh)

  const of = Effect.fnUntraced(function* (
    series: Series,
    { fresh = false, minVersion = 0, orLastAfterMs }: Freshness = {}
  ) {
    // a read that begins now: one that is under way may have begun before what the asker has to see
    if (fresh) yield* oneAtATime(seriesKey(series)).withPermits(1)(loadNow(series))
    const found = freshView(series, minVersion)
    if (found !== undefined) return found
    return yield* orLastAfterMs === undefined ? refresh(series, minVersion) : orLast(series, minVersion, orLastAfterMs)
  })

  const provided = Effect.provideService(ActorSystem, system)
  const askEnsure = ask(ensureMessage)
  const askCommit = ask(commitMessage)
  const askConfirm = ask(confirmMessage)
  return Coverage.of({
    of,
    known: freshView,
    ensure: (request) => provided(askEnsure(seriesKey(request.series), request)),
    commit: (commit) => provided(askCommit(seriesKey(commit.series), commit)),
    confirm: (series) => provided(askConfirm(seriesKey(series), { series }))
  })
})

/** Coverage as a host knows it: read from KV and followed, changed by asking the actors. */
export const layer: Layer.Layer<Coverage, MeshUnavailable, Mesh | ChunkStore | SeriesCatalog | ActorSystem> =
  Layer.effect(Coverage, make)
