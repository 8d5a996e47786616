/**
 * Which hosts have not been heard of for too long?
 *
 * Each renewal of a session is a new revision of its record. A host whose revision has stayed the same for longer than
 * a session lasts, on this host's own clock, is gone, though the server may take a quarter of a second more to say so.
 * Only what this host has seen itself counts, so a pause of its own makes it doubt nobody.
 */

/** How long one revision may stand, beyond which its host is silent: the time to live, and a little for the way. */
export const silentAfterMs = 3100

/** What was heard of hosts. */
export interface Heard {
  /** Takes notice of a revision of a host's record. */
  readonly note: (incarnation: string, revision: number, nowMs: number) => void
  /** The host's record has ended. */
  readonly forget: (incarnation: string) => void
  /** Whether the host was heard of lately, and not that it has ended: whoever knows nothing of it is behind. */
  readonly isHeardOf: (incarnation: string, nowMs: number) => boolean
  /** Whether the host's record has stood at that revision for too long. */
  readonly isSilent: (incarnation: string, revision: number, nowMs: number) => boolean
  /** Hosts that have become silent since this was asked last. */
  readonly newlySilent: (nowMs: number) => ReadonlyArray<string>
  /** When the next host becomes silent, if none is heard of before then: milliseconds of the same clock. */
  readonly nextSilenceAtMs: (nowMs: number) => number
}

interface Known {
  readonly revision: number
  readonly sinceMs: number
  isTold: boolean
}

/** Nothing was heard yet. */
export const make = (): Heard => {
  const known = new Map<string, Known>()
  const isOver = ({ sinceMs }: Known, nowMs: number): boolean => nowMs - sinceMs > silentAfterMs
  return {
    note: (incarnation, revision, nowMs) => {
      const before = known.get(incarnation)
      // what comes late, or from a replica that lags, is no news
      if (before !== undefined && before.revision >= revision) return
      known.set(incarnation, { revision, sinceMs: nowMs, isTold: false })
    },
    forget: (incarnation) => void known.delete(incarnation),
    isHeardOf: (incarnation, nowMs) => {
      const found = known.get(incarnation)
      return found !== undefined && !isOver(found, nowMs)
    },
    isSilent: (incarnation, revision, nowMs) => {
      const found = known.get(incarnation)
      return found !== undefined && found.revision === revision && isOver(found, nowMs)
    },
    newlySilent: (nowMs) => {
      const silent = Array.from(known).filter(([, each]) => !each.isTold && isOver(each, nowMs))
      for (const [, each] of silent) each.isTold = true
      return silent.map(([incarnation]) => incarnation)
    },
    nextSilenceAtMs: (nowMs) => {
      // a host that is heard of for the first time from now on is not silent before this
      let atMs = nowMs + silentAfterMs
      for (const { isTold, sinceMs } of known.values()) if (!isTold) atMs = Math.min(atMs, sinceMs + silentAfterMs)
      return atMs
    }
  }
}
