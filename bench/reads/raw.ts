/** What do the plain responder and its reader have in common? */

/** The subject of the plain responder. */
export const raw = "bench.raw"
