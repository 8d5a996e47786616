/**
 * What happens next?
 *
 * Events by their time; of those at one moment, the one that was added first. A binary heap in arrays, since a run adds
 * and takes some hundred thousand of them.
 */

/** Something that happens at a moment. */
export interface Event {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
}

const isBefore = (a: Event, b: Event): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)

/** Events in their order. */
export class EventQueue {
  private readonly heap: Array<Event> = []
  private added = 0

  get size(): number {
    return this.heap.length
  }

  /** When the next one happens; infinite where there is none. */
  nextAtMs(): number {
    return this.heap[0]?.atMs ?? Infinity
  }

  add(atMs: number, run: () => void): void {
    const { heap } = this
    const event: Event = { atMs, order: this.added++, run }
    let at = heap.length
    heap.push(event)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(event, heap[parent]!)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = event
  }

  /** Takes the next one out. */
  take(): Event | undefined {
    const { heap } = this
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1
      if (!isBefore(heap[child]!, last)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
    return first
  }
}
