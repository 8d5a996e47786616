/**
 * What do records say that were read before?
 *
 * Records of hosts and slots are read twice a second, and hardly ever change. Each is parsed when its bytes are others
 * than the last time; its revision says nothing, since storage that was rolled back gives it to another record.
 */
import { Option } from "effect"
import type { Stored } from "../runtime/Mesh.ts"

interface Known<A> {
  readonly bytes: Uint8Array
  readonly parsed: Option.Option<A>
}

const isSame = (one: Uint8Array, other: Uint8Array): boolean => {
  if (one.length !== other.length) return false
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false
  return true
}

/** Parses the values of records that are read again and again; what was not among the last ones is forgotten. */
export const readOnce = <A>(
  parse: (bytes: Uint8Array) => Option.Option<A>
): ((stored: ReadonlyArray<Stored>) => ReadonlyArray<Option.Option<A>>) => {
  let known = new Map<string, Known<A>>()
  return (stored) => {
    const next = new Map<string, Known<A>>()
    const parsed = stored.map(({ subject, value }) => {
      if (Option.isNone(value)) return Option.none<A>()
      const before = known.get(subject)
      const entry =
        before !== undefined && isSame(before.bytes, value.value)
          ? before
          : { bytes: value.value, parsed: parse(value.value) }
      next.set(subject, entry)
      return entry.parsed
    })
    known = next
    return parsed
  }
}
