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
  readMany: `${root}.readMany`,
  ensure: `${root}.ensure`,
  coverage: `${root}.coverage`,
  diff: `${root}.diff`,
  explain: `${root}.explain`,
  health: `${root}.health`
} as const

/** The queue group of the public services. */
export const serviceGroup = "seamless"

/** A series as two tokens: what keys and subjects about it begin with. */
export const series = (nodeId: string, interval: string): string => `${Token.encode(nodeId)}.${interval}`

/** A window of a series, by its start in epoch milliseconds; with a source, what that one has stored of it. */
export const window = (seriesKey: string, windowStart: number, source?: string): string =>
  `${seriesKey}.${windowStart}${source === undefined ? "" : `r-${Token.encode(source)}`}`

/** Where a chunk is stored. */
export const chunk = (seriesKey: string, windowStart: number, id: string): string =>
  `${root}.chunks.${window(seriesKey, windowStart)}.${id}`

/** Where all chunks or all pages of a series are stored. */
export const allOf = (family: "chunks" | "pages", seriesKey: string): string => `${root}.${family}.${seriesKey}.>`

/** Where a page is stored. */
export const page = (seriesKey: string, id: string): string => `${root}.pages.${seriesKey}.${id}`

/** Where the history of a series' roots is kept, or where it is noted which of them is the oldest that a sweep left. */
export const audit = (seriesKey: string, note?: "swept"): string =>
  `${root}.audit.${seriesKey}${note === undefined ? "" : `.${note}`}`

/** Where it is told what happened to the job of a window. */
export const jobEvent = (event: string, windowKey: string): string => `${root}.events.backfill.${event}.${windowKey}`

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
