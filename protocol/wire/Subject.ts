/**
 * What is each thing called on NATS?
 *
 * Every subject and key is built here and taken apart here. Variable parts are single tokens (see Token.ts), so a
 * node id can never add a level or a wildcard.
 */
import { Option } from "effect"
import * as Token from "./Token.ts"

/** What every subject of this protocol begins with. */
export const root = "seamless.v1"

/** The subjects of the public services; every host serves them in one queue group. */
export const service = {
  read: `${root}.read`,
  ensure: `${root}.ensure`,
  coverage: `${root}.coverage`,
  health: `${root}.health`
} as const

/** The queue group of the public services. */
export const serviceGroup = "seamless"

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
  `${root}.dead.${actorKey(address)}.${id}`

/** The dead letters of a type, or of all. */
export const deadLettersOf = (type?: string): string =>
  `${root}.dead.${type === undefined ? "" : `${Token.encode(type)}.`}>`

/** The key of an actor's records. */
export const actorKey = ({ key, type }: { readonly type: string; readonly key: string }): string =>
  `${Token.encode(type)}.${Token.encode(key)}`

/** A series as two tokens: what keys and subjects about it begin with. */
export const series = (nodeId: string, interval: string): string => `${Token.encode(nodeId)}.${interval}`

/** A window of a series, by its start in epoch milliseconds. */
export const window = (seriesKey: string, windowStart: number): string => `${seriesKey}.${windowStart}`

/** Where a chunk is stored. */
export const chunk = (seriesKey: string, windowStart: number, id: string): string =>
  `${root}.chunks.${window(seriesKey, windowStart)}.${id}`

/** Where a page is stored. */
export const page = (seriesKey: string, id: string): string => `${root}.pages.${seriesKey}.${id}`

/** Where the history of a series' roots is kept. */
export const audit = (seriesKey: string): string => `${root}.audit.${seriesKey}`

/** All subjects under a prefix of this protocol, for a stream to capture. */
export const all = (family: "chunks" | "pages" | "audit" | "jobs" | "dead"): string => `${root}.${family}.>`

/** The node id and interval of a series key; none where it is not one. */
export const parseSeries = (
  seriesKey: string
): Option.Option<{ readonly nodeId: string; readonly interval: string }> => {
  const [token = "", interval = "", ...more] = seriesKey.split(".")
  if (interval === "" || more.length > 0) return Option.none()
  return Option.map(Token.decode(token), (nodeId) => ({ nodeId, interval }))
}
