/**
 * Where did version 1 put an actor?
 *
 * The text of an address, or of a host and a slot, is hashed with FNV-1a and spread by MurmurHash3's finalizer. The
 * host with the highest hash for a slot should own it; of equal ones the first that is named.
 */

const fnv1a32 = (text: string): number => {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    hash = Math.imul(hash ^ (unit & 0xff), 0x01000193)
    hash = Math.imul(hash ^ (unit >>> 8), 0x01000193)
  }
  return hash >>> 0
}

const spread = (hash: number): number => {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

/** How many slots version 1 had. */
export const slotCount = 256

/** The slot of an actor. */
export const slotOf = (to: { readonly type: string; readonly key: string }): number =>
  spread(fnv1a32(`${to.type}/${to.key}`)) % slotCount

const weight = (host: string, slot: number): number => spread(fnv1a32(`${host}/${slot}`))

/** The host that should own the slot, by its incarnation. */
export const desiredOwner = (slot: number, hosts: Iterable<string>): string | undefined => {
  let best: string | undefined
  for (const host of hosts) {
    if (best === undefined || weight(host, slot) > weight(best, slot)) best = host
  }
  return best
}
