/**
 * When does the time of which record end?
 *
 * One alarm for all of them, set to the earliest: records are renewed far more often than they end, and a renewed one
 * is found out only when its old time has come.
 */

/** What ends, by its time. */
export interface Expiries<A> {
  readonly add: (dueMs: number, item: A) => void
  /** Ends what is due; for when the alarm came while nothing could end. */
  readonly wake: () => void
}

// timers of some platforms end at once where they are set for longer than about 24 days
const alarmMsMax = 24 * 3_600_000

interface Due<A> {
  readonly dueMs: number
  readonly item: A
}

const push = <A>(heap: Array<Due<A>>, added: Due<A>): void => {
  let at = heap.length
  while (at > 0) {
    const above = (at - 1) >> 1
    const parent = heap[above]!
    if (parent.dueMs <= added.dueMs) break
    heap[at] = parent
    at = above
  }
  heap[at] = added
}

const pop = <A>(heap: Array<Due<A>>): void => {
  const moved = heap.pop()
  if (moved === undefined || heap.length === 0) return
  let at = 0
  for (let below = 1; below < heap.length; below = 2 * at + 1) {
    if (below + 1 < heap.length && heap[below + 1]!.dueMs < heap[below]!.dueMs) below += 1
    if (heap[below]!.dueMs >= moved.dueMs) break
    heap[at] = heap[below]!
    at = below
  }
  heap[at] = moved
}

/** Nothing ends yet. */
export const make = <A>(options: {
  readonly nowMs: () => number
  readonly schedule: (afterMs: number, run: () => void) => void
  readonly isHeld: () => boolean
  readonly end: (item: A) => void
}): Expiries<A> => {
  const { end, isHeld, nowMs, schedule } = options
  const heap: Array<Due<A>> = []
  let alarmMs = Infinity
  const wake = (): void => {
    if (isHeld()) return
    for (let first = heap[0]; first !== undefined && first.dueMs <= nowMs(); first = heap[0]) {
      pop(heap)
      end(first.item)
    }
    const next = heap[0]
    if (next !== undefined) setAlarm(next.dueMs)
  }
  const setAlarm = (dueMs: number): void => {
    if (dueMs >= alarmMs) return
    alarmMs = dueMs
    schedule(Math.min(alarmMsMax, Math.max(0, dueMs - nowMs())), () => {
      // an earlier one has been set since, and sets the next itself
      if (alarmMs !== dueMs) return
      alarmMs = Infinity
      wake()
    })
  }
  return {
    add: (dueMs, item) => {
      push(heap, { dueMs, item })
      setAlarm(dueMs)
    },
    wake
  }
}
