/**
 * What is on record of a series: its history, and the root that stands?
 *
 * The end of the history is asked first and the root then, both of their leaders: between commits the root is the
 * history's last entry or the one after it. The entries up to that end come page by page from any replica, which is
 * asked again where it is behind.
 */
import { Effect, Option } from "effect"
import { type CoverageRoot, initial, rolledBackCause } from "../../protocol/history/CoverageRoot.ts"
import * as InlineCoverage from "../../protocol/history/InlineCoverage.ts"
import { readRoot } from "../../protocol/messages/readRoot.ts"
import { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import { keySubject } from "../../protocol/wire/StreamSpec.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import { Mesh } from "../../runtime/Mesh.ts"
import { ChunkStore } from "../sources/ChunkStore.ts"
import type { CatalogEntry } from "../sources/SeriesCatalog.ts"
import { type AuditEntry, fromStored } from "./AuditEntry.ts"
import type { Standing } from "./replayAudit.ts"

// a series may be committed to between the two reads; one that is committed to without end is as good as any of them
const standingTries = 5
// a replica catches up within milliseconds
const behindTries = 50
const behindPause = "50 millis"
// a page is up to a tenth of a second's work: others on this host have their turn in between
const entriesAtOnce = 20

/** What is on record at one moment. */
interface OnRecord {
  /** The revision of the history's last entry; 0 where it is empty. */
  readonly lastRevision: number
  readonly root: CoverageRoot
}

const emptyRoot = ({ grid, schema, series }: CatalogEntry): CoverageRoot =>
  initial(series, { windowBars: grid.windowBars, schemaVersion: schema.version })

const keyOf = ({ series }: CatalogEntry): string => Subject.series(series.nodeId, series.interval)

/** The end of the history, then the root. */
const readOnRecord = Effect.fnUntraced(function* (entry: CatalogEntry) {
  const mesh = yield* Mesh
  const key = keyOf(entry)
  const last = yield* mesh.read(Stream.audit.name, Subject.audit(key))
  const stored = yield* mesh.read(Stream.coverage.name, keySubject(Stream.coverage, key))
  const value = Option.flatMap(stored, (record) => record.value)
  const root = Option.getOrElse(yield* Effect.fromResult(readRoot(key, value)), () => emptyRoot(entry))
  const audited = Option.flatMap(last, (found) => fromStored(found).root)
  const auditedVersion = Option.match(audited, { onNone: () => 0, onSome: ({ version }) => version })
  const lastRevision = Option.match(last, { onNone: () => 0, onSome: ({ revision }) => revision })
  const isCommitted = root.version <= auditedVersion + 1 || root.diff.cause === rolledBackCause
  // a root that is older than the end of its history was read before it, or storage has lost the ones behind it
  const isAbreast = isCommitted && root.version >= auditedVersion
  return { lastRevision, root, isAbreast }
})

/** What is on record, as far as nobody has committed between the two reads, and neither answer is old. */
const onRecord = Effect.fnUntraced(function* (entry: CatalogEntry) {
  let found = yield* readOnRecord(entry)
  for (let tries = 1; !found.isAbreast && tries < standingTries; tries++) found = yield* readOnRecord(entry)
  return found satisfies OnRecord
})

/** The root with all that it covers, wherever it keeps that. */
const standingOf = Effect.fnUntraced(function* (root: CoverageRoot) {
  if (root.coveredInPagesBefore === null) return { root, covered: root.covered } satisfies Standing
  const store = yield* ChunkStore
  const ids = root.pages.map(({ id }) => id)
  return { root, covered: InlineCoverage.whole(root, yield* store.pages(root.series, ids)) } satisfies Standing
})

/** Tells every entry up to a revision, some at a time. */
const follow = Effect.fnUntraced(function* (
  entry: CatalogEntry,
  lastRevision: number,
  onEntries: (entries: ReadonlyArray<AuditEntry>) => void
) {
  const mesh = yield* Mesh
  const subject = Subject.audit(keyOf(entry))
  let from = 1
  let timesBehind = 0
  while (from <= lastRevision) {
    const { entries } = yield* mesh.history(Stream.audit.name, subject, { fromRevision: from })
    const last = entries.at(-1)
    if (last === undefined) {
      if (++timesBehind === behindTries) {
        const reason = `no replica has what its leader has, up to revision ${lastRevision}`
        return yield* new MeshUnavailable({ operation: `read history of ${subject}`, reason })
      }
      yield* Effect.sleep(behindPause)
      continue
    }
    const wanted = entries.filter(({ revision }) => revision <= lastRevision)
    for (let at = 0; at < wanted.length; at += entriesAtOnce) {
      onEntries(wanted.slice(at, at + entriesAtOnce).map(fromStored))
      yield* Effect.yieldNow
    }
    from = last.revision + 1
    timesBehind = 0
  }
})

/** Tells every entry of a series' history to `onEntries`, the oldest first, and gives the root that stands. */
export const readAudit = Effect.fnUntraced(function* (
  entry: CatalogEntry,
  onEntries: (entries: ReadonlyArray<AuditEntry>) => void
) {
  const { lastRevision, root } = yield* onRecord(entry)
  yield* follow(entry, lastRevision, onEntries)
  return yield* standingOf(root)
})
