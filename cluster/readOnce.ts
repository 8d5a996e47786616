/**
 * What does a record say that was read before?
 *
 * Records of hosts and slots are read twice a second and announced each second, and hardly ever change. Each is parsed
 * when its bytes are others than the last time; its revision says nothing, since storage that was rolled back gives it
 * to another record.
 */
import type { Option } from "effect"

interface Known<A> {
  readonly bytes: Uint8Array
  readonly parsed: Option.Option<A>
}

/** Subjects that are remembered: more than a cluster has hosts and slots, but for those that ended long ago. */
const knownMax = 10_000

const isSame = (one: Uint8Array, other: Uint8Array): boolean => {
  if (one.length !== other.length) return false
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false
  return true
}

/** Parses the value of a subject's record, unless it is the one that was parsed last. */
export const readOnce = <A>(
  parse: (bytes: Uint8Array) => Option.Option<A>
): ((subject: string, bytes: Uint8Array) => Option.Option<A>) => {
  const known = new Map<string, Known<A>>()
  return (subject, bytes) => {
    const before = known.get(subject)
    if (before !== undefined && isSame(before.bytes, bytes)) return before.parsed
    if (known.size >= knownMax) known.clear()
    const parsed = parse(bytes)
    known.set(subject, { bytes, parsed })
    return parsed
  }
}
