/**
 * What is kept in memory, and for how long?
 *
 * Immutable values by name, bounded in bytes: what was not used for longest goes first. A value never changes under its
 * name, so nothing in here can be out of date.
 */

/** A bounded store of immutable values. */
export interface Cache<Value> {
  readonly get: (name: string) => Value | undefined
  /** Keeps the value unless it alone is larger than the whole cache. */
  readonly put: (name: string, value: Value, bytes: number) => void
  /** How many bytes a value takes; undefined where it is not kept. To look does not count as use. */
  readonly bytesOf: (name: string) => number | undefined
  /** How many bytes are kept. */
  readonly bytes: () => number
}

/** An empty cache for at most `bytesMax` bytes. */
export const make = <Value>(bytesMax: number): Cache<Value> => {
  // a Map iterates in order of insertion: putting a used value at the end again keeps the oldest first
  const kept = new Map<string, { readonly value: Value; readonly bytes: number }>()
  let total = 0
  const remove = (name: string): void => {
    total -= kept.get(name)?.bytes ?? 0
    kept.delete(name)
  }
  return {
    get: (name) => {
      const found = kept.get(name)
      if (found === undefined) return undefined
      kept.delete(name)
      kept.set(name, found)
      return found.value
    },
    put: (name, value, bytes) => {
      if (bytes > bytesMax) return
      remove(name)
      kept.set(name, { value, bytes })
      total += bytes
      for (const oldest of kept.keys()) {
        if (total <= bytesMax) break
        remove(oldest)
      }
    },
    bytesOf: (name) => kept.get(name)?.bytes,
    bytes: () => total
  }
}
