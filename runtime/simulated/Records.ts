/**
 * What does one stream keep, and what does it refuse?
 *
 * The last message of each subject under one count of sequences, by the rules of the stream's kind: what may end, what
 * an end leaves behind, and what may be purged.
 */
import { Option } from "effect"
import type { StreamKind, StreamSpec } from "../../protocol/wire/StreamSpec.ts"
import {
  historyBytesMax,
  historyEntriesMax,
  type HistoryOptions,
  type HistoryPage,
  namesMax,
  type NamesPage
} from "../HistoryPage.ts"
import type { Named, Stored, WriteOptions } from "../Mesh.ts"
import { type Answer, conflict, done, refused } from "./Answer.ts"
import * as Expiries from "./Expiries.ts"
import * as History from "./History.ts"
import { hasWildcard, matcher } from "./SubjectIndex.ts"

/** A message as its stream has accepted it. */
export interface Accepted {
  readonly version: History.Version
  /** The revision of the subject that stood before; 0 where none did. */
  readonly previous: number
  readonly options: WriteOptions
  /** Which client wrote it; undefined for the server itself. */
  readonly by: string | undefined
}

/** What a stream writes, and for whom. */
export interface Append {
  readonly subject: string
  readonly data: Uint8Array
  readonly options: WriteOptions
  readonly by: string
}

/** One stream. */
export interface Records {
  readonly append: (message: Append) => Answer<number>
  /** What stands for a subject, or stood so long ago. */
  readonly read: (subject: string, lagMs: number) => Option.Option<Stored>
  /** The same of several, by patterns; in the order of their revisions. */
  readonly readMany: (subjects: ReadonlyArray<string>, lagMs: number) => ReadonlyArray<Stored>
  /** What a log has of a subject or of those of a pattern, or had so long ago; of any other stream what stands. */
  readonly history: (subject: string, lagMs: number, options: HistoryOptions) => HistoryPage<Stored>
  /** What is kept of a subject or of those of a pattern, or was so long ago, without its bytes. */
  readonly names: (subject: string, lagMs: number, options: HistoryOptions) => NamesPage<Named>
  readonly purge: (subject: string) => Answer<void>
  /** Removes the message of a revision, if it is there. */
  readonly remove: (revision: number) => Answer<void>
  /** What stands, in the order of the revisions; of a log each message. */
  readonly entries: () => ReadonlyArray<History.Version>
  readonly lastSequence: () => number
  readonly rollBack: (keepUntilMs: number) => void
  /** Whether there is no more room. */
  readonly setFull: (isFull: boolean) => void
  /** Ends what is due; for when ends were held up. */
  readonly wake: () => void
}

/** What a stream works with. */
export interface RecordsOptions {
  readonly spec: StreamSpec
  readonly nowMs: () => number
  readonly schedule: (afterMs: number, run: () => void) => void
  /** How late the end of a record's time comes. */
  readonly expiryLagMs: () => number
  readonly historyMs: number
  /** Whether the stream is without a leader, and so nothing ends. */
  readonly isHeld: () => boolean
  readonly onAccepted: (accepted: Accepted) => void
}

interface Rules {
  readonly expires?: boolean
  readonly marks?: boolean
  readonly purges?: boolean
  readonly keepsAll?: boolean
  readonly removes?: boolean
  readonly ageMsMax?: number
  readonly countMax?: number
}

// as the streams are configured: see runtime/nats/provision.ts
const rulesOf: Readonly<Record<StreamKind, Rules>> = {
  state: {},
  expiring: { expires: true },
  lease: { expires: true, marks: true, purges: true },
  blob: { purges: true, removes: true },
  log: { keepsAll: true, removes: true },
  letters: { purges: true, removes: true, ageMsMax: 30 * 24 * 3_600_000, countMax: 100_000 },
  queue: { purges: true }
}

const markerTtlMs = 60_000
const none = new Uint8Array(0)

const storedOf = (subject: string, revision: number, value: Option.Option<Uint8Array>): Option.Option<Stored> =>
  Option.some({ subject, revision, value })

interface State {
  readonly given: RecordsOptions
  readonly rules: Rules
  /** What stands, in the order of the revisions. */
  last: Map<string, History.Version>
  /** What was there a while ago and is gone. */
  readonly ghosts: Map<string, History.Version>
  /** Of a log: each message. */
  all: Array<History.Version>
  readonly history: History.History
  readonly expiries: Expiries.Expiries<History.Version>
  sequence: number
  isFull: boolean
}

const vanish = (state: State, subject: string): void => {
  const before = state.last.get(subject)
  if (before === undefined) return
  state.last.delete(subject)
  const ghost: History.Version = {
    subject,
    form: "gone",
    revision: 0,
    data: none,
    sinceMs: state.given.nowMs(),
    endsAtMs: Infinity,
    sequenceBefore: state.sequence,
    stored: Option.none(),
    before
  }
  state.ghosts.set(subject, ghost)
  state.history.note(ghost)
}

interface Change {
  readonly subject: string
  readonly form: "value" | "removed" | "marker"
  readonly data: Uint8Array
  readonly endsAtMs: number
}

/** Puts a message in the place of what stood. */
const put = (state: State, { data, endsAtMs, form, subject }: Change): History.Version => {
  const { ghosts, history, last } = state
  const standing = last.get(subject)
  // the map's order is that of the revisions
  if (standing !== undefined) last.delete(subject)
  const before = standing ?? (ghosts.size === 0 ? undefined : ghosts.get(subject))
  if (standing === undefined && before !== undefined) ghosts.delete(subject)
  const revision = state.sequence + 1
  const version: History.Version = {
    subject,
    form,
    revision,
    data,
    sinceMs: state.given.nowMs(),
    endsAtMs,
    sequenceBefore: state.sequence,
    stored: storedOf(subject, revision, form === "value" ? Option.some(data) : Option.none()),
    before
  }
  state.sequence = revision
  last.set(subject, version)
  if (state.rules.keepsAll === true) state.all.push(version)
  history.note(version)
  if (endsAtMs !== Infinity) state.expiries.add(endsAtMs + state.given.expiryLagMs(), version)
  return version
}

const end = (state: State, version: History.Version): void => {
  // written anew since, or purged
  if (state.last.get(version.subject) !== version) return
  if (state.rules.marks !== true || version.form === "marker") return vanish(state, version.subject)
  const { subject } = version
  const endsAtMs = state.given.nowMs() + markerTtlMs
  const marker = put(state, { subject, form: "marker", data: none, endsAtMs })
  state.given.onAccepted({ version: marker, previous: version.revision, options: {}, by: undefined })
}

const whyNot = ({ given: { spec }, rules }: State, { ttlSeconds }: WriteOptions): string | undefined => {
  if (ttlSeconds === undefined) return undefined
  if (rules.expires !== true) return `JetStreamApiError: per-message TTL is disabled on ${spec.name}`
  return ttlSeconds >= 1 ? undefined : "JetStreamApiError: invalid per-message TTL"
}

const endOf = ({ given, rules }: State, ttlSeconds: number | undefined): number => {
  if (ttlSeconds !== undefined) return given.nowMs() + ttlSeconds * 1000
  return rules.ageMsMax === undefined ? Infinity : given.nowMs() + rules.ageMsMax
}

const append = (state: State, { by, data, options, subject }: Append): Answer<number> => {
  const reason = whyNot(state, options)
  if (reason !== undefined) return refused(reason)
  const standing = state.last.get(subject)
  const previous = standing?.revision ?? 0
  if (options.expect !== undefined && options.expect !== previous) return conflict
  // not a byte more: what there is may be replaced by what is no larger
  if (state.isFull && (standing === undefined || data.length > standing.data.length)) {
    return refused("JetStreamApiError: maximum bytes exceeded")
  }
  const form = options.remove === true ? "removed" : "value"
  const version = put(state, { subject, form, data, endsAtMs: endOf(state, options.ttlSeconds) })
  const { countMax = Infinity } = state.rules
  for (const oldest of state.last.keys()) {
    if (state.last.size <= countMax) break
    vanish(state, oldest)
  }
  state.given.onAccepted({ version, previous, options, by })
  return done(version.revision)
}

const read = ({ ghosts, given, last }: State, subject: string, lagMs: number): Option.Option<Stored> => {
  const newest = last.get(subject) ?? ghosts.get(subject)
  const found = lagMs === 0 ? newest : History.at(newest, given.nowMs() - lagMs)
  return found === undefined ? Option.none() : found.stored
}

const readMatching = (state: State, pattern: string, lagMs: number): ReadonlyArray<Stored> => {
  const names = matcher(pattern)
  const found: Array<Stored> = []
  const take = (subject: string): void => {
    if (!names(subject)) return
    const one = read(state, subject, lagMs)
    if (Option.isSome(one)) found.push(one.value)
  }
  for (const subject of state.last.keys()) take(subject)
  if (lagMs > 0) for (const subject of state.ghosts.keys()) take(subject)
  return found
}

const readMany = (state: State, subjects: ReadonlyArray<string>, lagMs: number): ReadonlyArray<Stored> => {
  const found = new Map<string, Stored>()
  for (const subject of subjects) {
    const many = hasWildcard(subject)
      ? readMatching(state, subject, lagMs)
      : Option.match(read(state, subject, lagMs), { onNone: () => [], onSome: (one) => [one] })
    for (const one of many) found.set(one.subject, one)
  }
  return Array.from(found.values()).toSorted((a, b) => a.revision - b.revision)
}

const versionsOf = (state: State, subject: string, lagMs: number): ReadonlyArray<Stored> => {
  const untilMs = state.given.nowMs() - lagMs
  if (state.rules.keepsAll !== true) return readMany(state, [subject], lagMs)
  const names = matcher(subject)
  return state.all.flatMap((version) =>
    names(version.subject) && version.sinceMs <= untilMs ? Option.toArray(version.stored) : []
  )
}

const history = (
  versions: ReadonlyArray<Stored>,
  { fromRevision = 1, max = historyEntriesMax }: HistoryOptions
): HistoryPage<Stored> => {
  const wanted = versions.filter(({ revision }) => revision >= fromRevision)
  const entriesMax = Math.max(1, Math.min(max, historyEntriesMax))
  const entries: Array<Stored> = []
  let bytes = 0
  for (const entry of wanted) {
    // as the server counts: the entry that reaches the bound is the last
    if (entries.length === entriesMax || bytes >= historyBytesMax) break
    entries.push(entry)
    bytes += Option.match(entry.value, { onNone: () => 0, onSome: ({ length }) => length })
  }
  const left = wanted.length - entries.length
  return { entries, isLast: left === 0, left }
}

/** The versions that are kept, or were so long ago, the oldest first. */
const keptThen = ({ all, given, last, rules }: State, lagMs: number): ReadonlyArray<History.Version> => {
  const untilMs = given.nowMs() - lagMs
  if (rules.keepsAll === true) return lagMs === 0 ? all : all.filter(({ sinceMs }) => sinceMs <= untilMs)
  const standing = Array.from(last.values())
  if (lagMs === 0) return standing
  const then = standing.flatMap((version) => History.at(version, untilMs) ?? [])
  return then.toSorted((a, b) => a.revision - b.revision)
}

const names = (
  state: State,
  subject: string,
  lagMs: number,
  { fromRevision = 1, max = namesMax }: HistoryOptions
): NamesPage<Named> => {
  const isNamed = matcher(subject)
  const all = keptThen(state, lagMs)
  const wanted = all.filter((version) => version.revision >= fromRevision && isNamed(version.subject))
  const entries = wanted.slice(0, Math.max(1, Math.min(max, namesMax)))
  const left = wanted.length - entries.length
  return {
    entries: entries.map(({ data, revision, sinceMs, subject: name }) => ({
      subject: name,
      revision,
      bytes: data.length,
      atMs: sinceMs
    })),
    isLast: left === 0,
    left,
    nowMs: state.given.nowMs()
  }
}

const remove = (state: State, revision: number): Answer<void> => {
  if (state.rules.removes !== true) return refused("JetStreamApiError: message delete not permitted")
  state.all = state.all.filter((version) => version.revision !== revision)
  for (const version of state.last.values()) {
    if (version.revision !== revision) continue
    const { subject } = version
    vanish(state, subject)
    const before = state.all.findLast((one) => one.subject === subject)
    if (before !== undefined) state.last.set(subject, before)
  }
  return done(undefined)
}

const purge = (state: State, subject: string): Answer<void> => {
  if (state.rules.purges !== true) return refused("JetStreamApiError: stream purge not permitted")
  if (!hasWildcard(subject)) vanish(state, subject)
  else for (const one of Array.from(state.last.keys()).filter(matcher(subject))) vanish(state, one)
  return done(undefined)
}

const undo = (state: State, version: History.Version): void => {
  const { before, sequenceBefore, subject } = version
  state.sequence = sequenceBefore
  state.last.delete(subject)
  state.ghosts.delete(subject)
  if (before === undefined) return
  if (before.form === "gone") {
    state.ghosts.set(subject, before)
    return
  }
  state.last.set(subject, before)
  if (before.endsAtMs !== Infinity) state.expiries.add(before.endsAtMs + state.given.expiryLagMs(), before)
}

const rollBack = (state: State, keepUntilMs: number): void => {
  state.history.takeBack(keepUntilMs, (version) => undo(state, version))
  state.all = state.all.filter(({ revision }) => revision <= state.sequence)
  state.last = new Map(Array.from(state.last).toSorted(([, a], [, b]) => a.revision - b.revision))
}

/** An empty stream. */
export const make = (given: RecordsOptions): Records => {
  const ghosts = new Map<string, History.Version>()
  const forget = (version: History.Version): void => {
    if (version.form === "gone" && ghosts.get(version.subject) === version) ghosts.delete(version.subject)
  }
  const { isHeld, nowMs, schedule } = given
  const state: State = {
    given,
    rules: rulesOf[given.spec.kind],
    last: new Map(),
    ghosts,
    all: [],
    history: History.make({ keepMs: given.historyMs, forget }),
    expiries: Expiries.make({ nowMs, schedule, isHeld, end: (version) => end(state, version) }),
    sequence: 0,
    isFull: false
  }
  return {
    append: (message) => append(state, message),
    read: (subject, lagMs) => read(state, subject, lagMs),
    readMany: (subjects, lagMs) => readMany(state, subjects, lagMs),
    history: (subject, lagMs, options) => history(versionsOf(state, subject, lagMs), options),
    names: (subject, lagMs, options) => names(state, subject, lagMs, options),
    purge: (subject) => purge(state, subject),
    remove: (revision) => remove(state, revision),
    entries: () => (state.rules.keepsAll === true ? state.all.slice() : Array.from(state.last.values())),
    lastSequence: () => state.sequence,
    rollBack: (keepUntilMs) => rollBack(state, keepUntilMs),
    setFull: (isFull) => void (state.isFull = isFull),
    wake: state.expiries.wake
  }
}
