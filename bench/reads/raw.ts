/** What do the plain responder and its reader have in common? */

/** The subject of the plain responder. */
export const raw = "bench.raw"

/** The headers of answers in parts. */
export const Wire = {
  credit: "Seamless-Credit",
  part: "Seamless-Part",
  flow: "Seamless-Flow",
  last: "Seamless-Last"
} as const
