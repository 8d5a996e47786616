/** How much of a log is read at once? */

/** A page of a log has so many entries at most. */
export const historyEntriesMax = 1000

/** A page of a log ends with the entry that brings it to so many bytes: it is longer by one entry at most. */
export const historyBytesMax = 4 * 1024 * 1024

/** A page of names has so many at most: they come without their bytes. */
export const namesMax = 5000

/** Where a page of a log begins, and how many entries it may have. */
export interface HistoryOptions {
  /** Nothing of an earlier revision; the first entry and all that follow without it. */
  readonly fromRevision?: number
  /** 1 at the least; `historyEntriesMax` without it, or `namesMax` where names are asked for, and never more. */
  readonly max?: number
}

/** What a log has of a subject, or of those that wildcards match, from a revision on. */
export interface HistoryPage<Entry> {
  /** The oldest first. */
  readonly entries: ReadonlyArray<Entry>
  /** Whether there is nothing behind them. A page that is not the last has one entry at the least. */
  readonly isLast: boolean
  /** How many entries there were behind them. */
  readonly left: number
}

/** A page of names, and when it was asked for. */
export interface NamesPage<Entry> extends HistoryPage<Entry> {
  /** What the servers' clocks showed then at least, in epoch milliseconds: by one of them names say when they came. */
  readonly nowMs: number
}
