/**
 * What is on record of a series: its history, and the root that stands?
 *
 * The end of the history is asked first and the root then, both of their leaders: between commits the root is the
 * history's last entry or the one after it. The entries up to that end come page by page from any replica, which is
 * asked again where it is behind.
 */
import { Effect, Option } from "effect"
import { type CoverageRoot, rolledBackCause } from "../../protocol/history/CoverageRoot.ts"
import { revisionOf } from "../../runtime/compareAndSet.ts"
import * as RootLog from "../sources/RootLog.ts"
import type { CatalogEntry } from "../sources/SeriesCatalog.ts"
import { wholeView } from "../sources/wholeView.ts"
import { type AuditEntry, fromStored } from "./AuditEntry.ts"
import type { Standing } from "./replayAudit.ts"

// a series may be committed to between the two reads; one that is committed to without end is as good as any of them
const standingTries = 5
// a page is up to a tenth of a second's work: others on this host have their turn in between
const entriesAtOnce = 20

/** What is on record at one moment. */
interface OnRecord {
  /** The revision of the history's last entry; 0 where it is empty. */
  readonly lastRevision: number
  readonly root: CoverageRoot
}

/** The end of the history, then the root. */
const readOnRecord = Effect.fnUntraced(function* (entry: CatalogEntry) {
  const last = yield* RootLog.endOf(entry)
  const root = yield* RootLog.standingRoot(entry)
  const audited = Option.flatMap(last, (found) => fromStored(found).root)
  const auditedVersion = Option.match(audited, { onNone: () => 0, onSome: ({ version }) => version })
  const lastRevision = revisionOf(last)
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

/** Tells every entry of a series' history to `onEntries`, the oldest first, and gives the root that stands. */
export const readAudit = Effect.fnUntraced(function* (
  entry: CatalogEntry,
  onEntries: (entries: ReadonlyArray<AuditEntry>) => void
) {
  const { lastRevision, root } = yield* onRecord(entry)
  yield* RootLog.followEntries(entry, { from: 1, to: lastRevision }, (entries) =>
    Effect.gen(function* () {
      for (let at = 0; at < entries.length; at += entriesAtOnce) {
        onEntries(entries.slice(at, at + entriesAtOnce).map(fromStored))
        yield* Effect.yieldNow
      }
      return true
    })
  )
  return (yield* wholeView(root)) satisfies Standing
})
