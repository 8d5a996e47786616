/**
 * Which slot does an actor belong to, and which host should have the slot?
 *
 * Pure. An address hashes to a slot; of the live hosts, the one with the highest weight for a slot should own it
 * (rendezvous hashing), so that a host that joins or leaves moves only the slots that are its own.
 */
import { manifest } from "../protocol/wire/Manifest.ts"
import { type Address, addressText } from "../protocol/wire/Envelope.ts"

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

/** The slot of an address. */
export const slotOf = (address: Address): number => spread(fnv1a32(addressText(address))) % manifest.slotCount

const weight = (host: string, slot: number): number => spread(fnv1a32(`${host}/${slot}`))

/** The host that should own the slot; none where no host lives. */
export const desiredOwner = (slot: number, hosts: Iterable<string>): string | undefined => {
  let best: string | undefined
  for (const host of hosts) {
    if (best === undefined || weight(host, slot) > weight(best, slot)) best = host
  }
  return best
}
