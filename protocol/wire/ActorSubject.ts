/** What is each thing of actors and their hosts called on NATS? */
import { root } from "./Subject.ts"
import * as Token from "./Token.ts"

/**
 * The name of a slot, which is its key: its number, behind its label where it has one.
 *
 * @example
 * slotName("", 17) // => "17"
 * slotName("strategies", 17) // => "strategies.17"
 */
export const slotName = (label: string, slotNumber: number): string =>
  label === "" ? String(slotNumber) : `${Token.encode(label)}.${slotNumber}`

/** Where the owner of a slot takes the messages for its actors; by the slot's name. */
export const slot = (name: string): string => `${root}.slot.${name}`

/** Where one host, by its incarnation, takes what is said to it and no other. */
export const host = (incarnation: string): string => `${root}.host.${incarnation}`

/** Where a sender hears how the messages ended that it told. */
export const settled = (sender: string): string => `${root}.settled.${sender}`

/** Where an operator asks; `who` is the operator's own token, `*` for all of them. */
export const admin = (who: string, verb: string): string => `${root}.admin.${who}.${verb}`

/** Where a message is kept upon which an actor failed. */
export const deadLetter = (address: { readonly type: string; readonly key: string }, id: string): string =>
  `${root}.dead.${actorKey(address)}.${Token.encode(id)}`

/** The dead letters of a type, or of all. */
export const deadLettersOf = (type?: string): string =>
  `${root}.dead.${type === undefined ? "" : `${Token.encode(type)}.`}>`

/** The dead letters of one id: operation ids are chosen by users, so it may have one of each actor. */
export const deadLettersById = (id: string): string => `${root}.dead.*.*.${Token.encode(id)}`

/** The key of an actor's records. */
export const actorKey = ({ key, type }: { readonly type: string; readonly key: string }): string =>
  `${Token.encode(type)}.${Token.encode(key)}`

/** The keys of the records of all actors of a type. */
export const actorKeysOf = (type: string): string => `${Token.encode(type)}.*`
