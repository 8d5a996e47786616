/**
 * Which slot does an actor belong to, and which host should have the slot?
 *
 * Pure. An address hashes to a slot; of the live hosts that take the slot's label and stay, the one with the highest
 * weight should own it (rendezvous hashing), so that a host that joins or leaves moves only the slots that are its own.
 */
import { manifest } from "../protocol/wire/Manifest.ts"
import { type Address, addressText } from "../protocol/wire/Envelope.ts"
import type { SessionRecord } from "../protocol/wire/HostRecords.ts"

const fnvOffset = 0x811c9dc5
const fnvPrime = 0x01000193

/** FNV-1a over the text's UTF-16 units, low byte first: 32 bits, the same on every host. */
export const fnv1a32 = (text: string): number => {
  let hash = fnvOffset
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    hash = Math.imul(hash ^ (unit & 0xff), fnvPrime)
    hash = Math.imul(hash ^ (unit >>> 8), fnvPrime)
  }
  return hash >>> 0
}

// the low bits of FNV-1a of like texts are alike: the finalizer of MurmurHash3 spreads them
const spread = (hash: number): number => {
  let mixed = hash
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

/** The slot of an address, among those of its label. */
export const slotOf = (address: Address): number => spread(fnv1a32(addressText(address))) % manifest.slotCount

/** The label in a slot's name; empty where it has none. */
export const labelOf = (slotName: string): string => slotName.slice(0, Math.max(0, slotName.lastIndexOf(".")))

// hosts of version 1 compute the very same weights, over slots without a label
const weight = (host: string, slotName: string): number => spread(fnv1a32(`${host}/${slotName}`))

/** The host with the highest weight for the slot; none where there is no host. */
export const desiredOwner = (slotName: string, hosts: Iterable<string>): string | undefined => {
  let best: string | undefined
  let bestWeight = -1
  for (const host of hosts) {
    const hostWeight = weight(host, slotName)
    if (hostWeight > bestWeight) [best, bestWeight] = [host, hostWeight]
  }
  return best
}

/** Whether the host takes the actors of a label, or with an empty one those that have none. */
export const takes = ({ labels = [], unlabelled = true }: SessionRecord, label: string): boolean =>
  label === "" ? unlabelled : labels.includes(label)

const strongest = (slotName: string, hosts: ReadonlyArray<SessionRecord>): SessionRecord | undefined => {
  const owner = desiredOwner(
    slotName,
    hosts.map(({ incarnation }) => incarnation)
  )
  return hosts.find(({ incarnation }) => incarnation === owner)
}

/** The first version whose hosts know of labels, and of others that drain. */
const labelsSince = 2

/**
 * The host that should own the slot, among all that live; none where nobody takes it.
 *
 * A host of version 1 compares itself with all others, those that drain or don't take the label among them. Where it
 * would not find itself the strongest of all it never claims, so the slot is another's.
 */
export const desiredHost = (slotName: string, live: ReadonlyArray<SessionRecord>): SessionRecord | undefined => {
  const label = labelOf(slotName)
  const takers = live.filter((host) => host.draining !== true && takes(host, label))
  const best = strongest(slotName, takers)
  if (best === undefined || best.protocolVersion >= labelsSince) return best
  if (strongest(slotName, live) === best) return best
  return strongest(
    slotName,
    takers.filter(({ protocolVersion }) => protocolVersion >= labelsSince)
  )
}
