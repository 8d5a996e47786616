/**
 * What is kept of a history that is gone through once?
 *
 * Pure but for what is kept: the newest changes that are asked for, the last touches of the wanted time, and what the
 * changes add up to. So an answer is bounded, however long the history.
 */
import { Option } from "effect"
import { includes, isEmpty } from "../../protocol/history/RangeMeasure.ts"
import type { Range } from "../../protocol/history/Range.ts"
import { toPairs } from "../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import type { AuditedChange, AuditVerdict } from "../../protocol/messages/AuditReport.ts"
import * as Codec from "../../protocol/wire/Codec.ts"
import type { AuditEntry } from "./AuditEntry.ts"
import { type Change, lastTouches, type Touch } from "./lastTouches.ts"
import { begin, conclude, type Replay, replayEntry, type Standing } from "./replayAudit.ts"

/** What is asked of a history. */
export interface Wanted {
  /** The time that it is about; all of it without one. */
  readonly range: Range | undefined
  /** So many changes at most, the newest of those before a version. */
  readonly limit: number
  readonly beforeVersion: number
  /** Whether it has to be replayed. */
  readonly verify: boolean
}

const always = RangeSet.of(-Infinity, Infinity)

const timeOf = ({ range }: Wanted): RangeSet.RangeSet => (range === undefined ? always : RangeSet.of(...range))

/** What is kept of a history, as far as it has been gone through. */
export interface Digest {
  /** The newest changes that are asked for, the oldest first. */
  readonly changes: ReadonlyArray<Change>
  /** Whether there are older ones that are asked for, too. */
  readonly hasOlder: boolean
  /** The last touches of the wanted range. */
  readonly touches: ReadonlyArray<Touch>
  readonly replay: Replay
  readonly lastVersion: number
  /** Entries that are no roots. */
  readonly unreadable: number
}

/** A history of which nothing has been seen yet. */
export const empty: Digest = {
  changes: [],
  hasOlder: false,
  touches: [],
  replay: begin,
  lastVersion: 0,
  unreadable: 0
}

const isWanted = ({ diff, version }: Change, wanted: Wanted): boolean => {
  if (version >= wanted.beforeVersion) return false
  if (wanted.range === undefined) return true
  const { added, removed, revised = RangeSet.empty } = diff
  return !isEmpty(RangeSet.intersect(RangeSet.unionAll([added, removed, revised]), timeOf(wanted)))
}

/** The changes in entries, each with the version that it followed. */
const changesIn = (lastVersion: number, entries: ReadonlyArray<AuditEntry>): ReadonlyArray<Change> => {
  const roots = entries.flatMap(({ root }) => Option.toArray(root))
  return roots.map(({ committedAt, diff, version }, index) => ({
    version,
    versionBefore: roots[index - 1]?.version ?? lastVersion,
    committedAt,
    diff
  }))
}

const withChanges = (digest: Digest, changes: ReadonlyArray<Change>, wanted: Wanted): Digest => {
  const all = [...digest.changes, ...changes.filter((change) => isWanted(change, wanted))]
  return {
    ...digest,
    changes: all.slice(-wanted.limit),
    hasOlder: digest.hasOlder || all.length > wanted.limit,
    touches: wanted.range === undefined ? [] : lastTouches(digest.touches, changes, timeOf(wanted)),
    lastVersion: changes.at(-1)?.version ?? digest.lastVersion
  }
}

/** What is kept after some more entries. */
export const take = (digest: Digest, entries: ReadonlyArray<AuditEntry>, wanted: Wanted): Digest => {
  const changes = changesIn(digest.lastVersion, entries)
  return {
    ...withChanges(digest, changes, wanted),
    replay: wanted.verify ? entries.reduce(replayEntry, digest.replay) : digest.replay,
    unreadable: digest.unreadable + entries.length - changes.length
  }
}

/** What is kept in the end: the root that stands may not be among the entries yet. */
export const close = (digest: Digest, { root }: Standing, wanted: Wanted): Digest => {
  const { committedAt, diff, version } = root
  if (version <= digest.lastVersion) return digest
  return withChanges(digest, [{ version, versionBefore: digest.lastVersion, committedAt, diff }], wanted)
}

/** Whether the history holds from the oldest root that sweeps have left, and adds up to what stands. */
export const verdictOf = ({ replay }: Digest, standing: Standing, keptFrom: number): AuditVerdict => {
  const { entries, firstBreak = null, late } = conclude(replay, standing, keptFrom)
  return { holds: firstBreak === null, entries, firstBreak, ...(late && { fromVersion: late.version }) }
}

/** How many bytes a value takes in an answer. */
export const bytesOf = (value: unknown): number => Codec.toJson(value).length + 1

/** The first of the items that have room. */
export const fitting = <Item>(items: ReadonlyArray<Item>, bytesMax: number): ReadonlyArray<Item> => {
  let left = bytesMax
  const over = items.findIndex((item) => (left -= bytesOf(item)) < 0)
  return over === -1 ? items : items.slice(0, over)
}

/** What a change revised of the wanted time; nothing where it revised none of it. */
const toldRevision = ({ revised = RangeSet.empty, revisedBars = [] }: Change["diff"], wanted: Wanted) => {
  const time = timeOf(wanted)
  const ranges = toPairs(RangeSet.intersect(revised, time))
  return ranges.length === 0
    ? {}
    : { revised: ranges, revisedBars: revisedBars.filter(({ eventTime }) => includes(time, eventTime)) }
}

const toldChange = ({ committedAt, diff, version, versionBefore }: Change, wanted: Wanted): AuditedChange => ({
  version,
  versionBefore,
  committedAt,
  added: toPairs(RangeSet.intersect(diff.added, timeOf(wanted))),
  removed: toPairs(RangeSet.intersect(diff.removed, timeOf(wanted))),
  ...toldRevision(diff, wanted),
  jobs: diff.jobs,
  source: diff.source,
  cause: diff.cause
})

/** The newest changes that have room, the newest last, and before which version the older ones are. */
export const changesOf = ({ changes, hasOlder }: Digest, wanted: Wanted, bytesMax: number) => {
  const newestFirst = changes.map((change) => toldChange(change, wanted)).toReversed()
  const some = fitting(newestFirst, bytesMax)
  // the newest is told in any case: without room for it the answer is too large, and says so
  const told = (some.length === 0 ? newestFirst.slice(0, 1) : some).toReversed()
  const isCut = hasOlder || told.length < changes.length
  return { changes: told, olderBefore: isCut ? (told[0]?.version ?? null) : null }
}
