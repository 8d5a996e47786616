/**
 * Has a lease ended that another host holds?
 *
 * It has when its holder is gone, or when nothing of its record has moved for its length on this host's own clock: what
 * other clocks say is not compared.
 */
import { Effect } from "effect"
import type { MeshUnavailable } from "../protocol/wire/Errors.ts"
import { monotonicMs } from "./Deadline.ts"
import { LiveHosts } from "./LiveHosts.ts"

/** A lease as its record says, with the record's revision: each renewal is another. */
interface Watched {
  readonly key: string
  readonly revision: number
  readonly holder: string
  readonly leaseMs: number
}

/** What is known of leases that were looked at. */
export interface LeaseWatch {
  readonly hasEnded: (lease: Watched) => Effect.Effect<boolean, MeshUnavailable>
  /** Forgets the lease of a key: it is over, or this host's own. */
  readonly forget: (key: string) => void
}

/** Leases that are remembered; where there are more, some are watched when others have ended. */
const watchedMax = 10_000
/** One that nobody has looked at for so long is nobody's business any more. */
const idleMs = 60_000

/** A watch of its own. */
export const make: Effect.Effect<LeaseWatch, never, LiveHosts> = Effect.map(LiveHosts, (hosts) => {
  /** When each record was first seen as it is. */
  const seen = new Map<string, { readonly revision: number; readonly sinceMs: number; readonly lookedMs: number }>()
  const hasRoom = (nowMs: number): boolean => {
    const [oldest] = seen
    if (seen.size < watchedMax || oldest === undefined) return true
    return nowMs - oldest[1].lookedMs > idleMs && seen.delete(oldest[0])
  }
  return {
    hasEnded: Effect.fnUntraced(function* ({ holder, key, leaseMs, revision }: Watched) {
      if (yield* hosts.isDead(holder)) return true
      const nowMs = yield* monotonicMs
      const before = seen.get(key)
      const sinceMs = before?.revision === revision ? before.sinceMs : nowMs
      // the last in line: what was not looked at for longest is the first
      seen.delete(key)
      if (hasRoom(nowMs)) seen.set(key, { revision, sinceMs, lookedMs: nowMs })
      return nowMs - sinceMs > leaseMs
    }),
    forget: (key) => void seen.delete(key)
  }
})
