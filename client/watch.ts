/**
 * How does a program learn of each change of coverage?
 *
 * Changes are announced without their content; an announcement has the newest roots looked at. What came between the
 * version that was told last and the newest is read from the audit, one page at a time and only when it is asked for:
 * who goes through the changes slowly, or was away, is told of each all the same, and nothing piles up here.
 */
import { Effect, Latch, Option, Result, type Scope } from "effect"
import * as Announcement from "../protocol/wire/Announcement.ts"
import { MeshUnavailable } from "../protocol/wire/Errors.ts"
import * as Subject from "../protocol/wire/Subject.ts"
import * as Token from "../protocol/wire/Token.ts"
import type { Message } from "../runtime/Mesh.ts"
import { changeOf, type CoverageChange } from "./CoverageChange.ts"
import { invalid, isRecord } from "./checkOptions.ts"
import * as CoverageLog from "./CoverageLog.ts"
import { SeamlessError } from "./SeamlessError.ts"
import { transportError } from "./failures.ts"
import type { Session } from "./Session.ts"
import type { Pull } from "./toIterable.ts"
import type { CallOptions } from "./toPromise.ts"

/** Which series are watched: one, all of a node, or all there are. */
export interface Watched {
  readonly nodeId?: string
  /** In canonical form, such as `1m`; only beside a node. */
  readonly interval?: string
}

/** From where a watch tells, and how long. */
export interface WatchOptions extends CallOptions {
  /**
   * The first version that is told, of one series: 1 for all of its history, or the one behind that which a program
   * was told last. Without it the newest version of each series is told first.
   */
  readonly from?: number
  /** Ends when all that there is has been told, instead of waiting for what comes. */
  readonly once?: boolean
}

// announcements can get lost: so often one looks without
const lookEvery = "5 seconds"
// a replica is behind its leader for moments; what it does not have then is not there any more
const behindTries = 50
const behindPause = "40 millis"
const awayPause = "250 millis"

const keysOf = ({ interval, nodeId }: Watched): string => {
  if (nodeId === undefined) return ">"
  return interval === undefined ? `${Token.encode(nodeId)}.*` : Subject.series(nodeId, interval)
}

/** What a request says that can't be watched; undefined where it can. */
const problemOf = (watched: Watched, { from }: WatchOptions) => {
  if (!isRecord(watched)) return { field: "watched", problem: "is no object" }
  const { interval, nodeId } = watched
  for (const [field, text] of Object.entries({ nodeId, interval })) {
    if (text !== undefined && (typeof text !== "string" || text === "")) return { field, problem: "is no name" }
  }
  if (interval !== undefined && nodeId === undefined)
    return { field: "interval", problem: "an interval is watched of a node" }
  if (from === undefined) return undefined
  if (interval === undefined)
    return { field: "from", problem: "versions are counted by series: name node and interval" }
  return Number.isInteger(from) && from >= 1
    ? undefined
    : { field: "from", problem: "a version is a whole number from 1 on" }
}

/** What lies between the version that was told last and the newest of a series. */
interface Gap {
  readonly standing: CoverageLog.Standing
  /** Where the audit is read next. */
  place: number
  tries: number
}

/** What a watch knows. */
interface Watch {
  readonly session: Session
  readonly keys: string
  readonly options: WatchOptions
  /** The last version that was told, by series. */
  readonly told: Map<string, number>
  /** The revision of the record that was seen last, by series. */
  readonly revisions: Map<string, number>
  /** Series whose record seems to have gone back: storage may have been rolled back. */
  readonly doubted: Set<string>
  /** Newest roots that have not been dealt with. */
  readonly standing: Array<CoverageLog.Standing>
  /** Older roots that are to be told. */
  readonly ready: Array<CoverageChange>
  readonly changed: Latch.Latch
  gap: Gap | undefined
  /** Everything up to this revision has been seen. */
  seen: number
  announced: number
  /** Whether all that there was at first has been seen. */
  isFollowing: boolean
  behind: number
}

const onAnnounced =
  (watch: Watch) =>
  (message: Message): void => {
    const revision = Number(message.headers.get("Nats-Sequence"))
    const key = Option.getOrUndefined(Announcement.changedKey("coverage", message.subject))
    if (key === undefined || !Number.isFinite(revision)) return
    if (revision > watch.seen) watch.announced = Math.max(watch.announced, revision)
    else if (revision !== watch.revisions.get(key)) watch.doubted.add(key)
    watch.changed.openUnsafe()
  }

const onReconnect = (watch: Watch) => (): void => {
  // revisions may have begun anew: only versions are sure never to go back
  watch.seen = 0
  watch.announced = 0
  watch.changed.openUnsafe()
}

/** Takes note of what was told, or need not be. */
const tell = (watch: Watch, key: string, root: CoverageLog.Standing["root"]): CoverageChange => {
  const before = watch.told.get(key)
  watch.told.set(key, root.version)
  const change = changeOf(root, 0)
  if (before === undefined || change.isRolledBack) return change
  return { ...change, missedVersions: root.version - before - 1 }
}

/** The next page of what lies in the gap; the newest root behind the last. */
const fillGap = Effect.fnUntraced(function* (watch: Watch, gap: Gap) {
  const { key, root } = gap.standing
  const { isEmpty, next, roots } = yield* CoverageLog.pastFrom(watch.session.mesh, key, gap.place)
  for (const past of roots) {
    const before = watch.told.get(key) ?? 0
    if (past.root.version > before && past.root.version < root.version) watch.ready.push(tell(watch, key, past.root))
  }
  gap.place = next
  const isWhole =
    (watch.told.get(key) ?? 0) === root.version - 1 || roots.some((past) => past.root.version >= root.version)
  if (isWhole || (isEmpty && ++gap.tries >= behindTries)) {
    watch.gap = undefined
    watch.ready.push(tell(watch, key, root))
  } else if (isEmpty) yield* Effect.sleep(behindPause)
})

/** Deals with the newest root of a series: it is told, or what lies before it is. */
const meet = Effect.fnUntraced(function* (watch: Watch, standing: CoverageLog.Standing) {
  const { key, revision, root } = standing
  watch.revisions.set(key, revision)
  // a series that was not there when the watch began has been told nothing
  const before = watch.told.get(key) ?? (watch.isFollowing ? 0 : root.version - 1)
  if (root.version <= before) return
  const place =
    root.version === before + 1 ? undefined : yield* CoverageLog.placeOf(watch.session.mesh, key, before + 1)
  watch.told.set(key, before)
  if (place === undefined) watch.ready.push(tell(watch, key, root))
  else watch.gap = { standing, place, tries: 0 }
})

/** Looks for newest roots that are not known; whether there may be more of them now. */
const look = Effect.fnUntraced(function* (watch: Watch) {
  const { doubted, session, standing } = watch
  if (doubted.size > 0) {
    const keys = Array.from(doubted)
    standing.push(...(yield* CoverageLog.newestOf(session.mesh, keys)))
    for (const key of keys) doubted.delete(key)
    return true
  }
  const { isLast, lastRevision, roots } = yield* CoverageLog.changedSince(session.mesh, watch.keys, watch.seen + 1)
  standing.push(...roots)
  watch.seen = Math.max(watch.seen, lastRevision ?? 0)
  if (!isLast || roots.length > 0) return true
  if (watch.announced <= watch.seen) return false
  // announced and not there yet, or not any more
  watch.behind += 1
  if (watch.behind > behindTries) {
    watch.announced = watch.seen
    watch.behind = 0
  }
  yield* Effect.sleep(behindPause)
  return true
})

/** Waits for an announcement, or for a while. */
const rest = ({ changed }: Watch) => Effect.asVoid(Effect.timeoutOption(changed.await, lookEvery))

/** Comes one step nearer to the next change; whether there is nothing more to tell now. */
const advance = Effect.fnUntraced(function* (watch: Watch) {
  const [standing] = watch.standing
  if (watch.gap !== undefined) yield* fillGap(watch, watch.gap)
  else if (standing !== undefined) {
    yield* meet(watch, standing)
    watch.standing.shift()
  } else {
    watch.changed.closeUnsafe()
    return !(yield* look(watch))
  }
  return false
})

const isPassing = ({ isFollowing, session: { link } }: Watch, error: SeamlessError | MeshUnavailable): boolean =>
  !(error instanceof SeamlessError) && isFollowing && link?.isClosed() !== true

const closed = new MeshUnavailable({ operation: "watch", reason: "the client is closed" })

/** The next change; none at the end of what there is, for who wants no more. */
const next = Effect.fnUntraced(function* (
  watch: Watch
): Effect.fn.Return<Option.Option<CoverageChange>, SeamlessError> {
  const { link, servers } = watch.session
  for (;;) {
    if (link?.isClosed() === true) return yield* Effect.fail(transportError(servers, closed))
    const change = watch.ready.shift()
    if (change !== undefined) return Option.some(change)
    const step = yield* Effect.result(advance(watch))
    if (Result.isFailure(step)) {
      const { failure } = step
      if (failure instanceof SeamlessError) return yield* Effect.fail(failure)
      // servers that change their leader, and connections that come back: a watch outlives them
      if (!isPassing(watch, failure)) return yield* Effect.fail(transportError(watch.session.servers, failure))
      yield* Effect.sleep(awayPause)
    } else if (step.success) {
      watch.isFollowing = true
      if (watch.options.once === true) return Option.none()
      yield* rest(watch)
    }
  }
})

/** What gives the changes one by one, until the scope ends. */
export const watch = Effect.fnUntraced(function* (
  session: Session,
  watched: Watched = {},
  options: WatchOptions = {}
): Effect.fn.Return<Pull<CoverageChange>, SeamlessError, Scope.Scope> {
  const wrong = problemOf(watched, options)
  if (wrong !== undefined) return yield* Effect.fail(invalid(wrong.field, wrong.problem))
  const { from } = options
  const keys = keysOf(watched)
  const state: Watch = {
    session,
    keys,
    options,
    told: new Map(from === undefined ? [] : [[keys, from - 1]]),
    revisions: new Map(),
    doubted: new Set(),
    standing: [],
    ready: [],
    changed: Latch.makeUnsafe(false),
    gap: undefined,
    seen: 0,
    announced: 0,
    isFollowing: false,
    behind: 0
  }
  const { link, mesh, servers } = session
  // who waits is told when there is nothing more to wait for
  const takeBack = link?.onBack(() => state.changed.openUnsafe())
  yield* Effect.addFinalizer(() => Effect.sync(() => takeBack?.()))
  yield* mesh.onReconnect(onReconnect(state))
  yield* Effect.mapError(mesh.subscribe(Announcement.changed("coverage", keys), onAnnounced(state)), (error) =>
    transportError(servers, error)
  )
  return next(state)
})
