/**
 * What is asked of each candidate, and what is told of it?
 *
 * The program that measures and the programs that ask and answer are processes of their own; these are the messages
 * between them.
 */

/** As many actors as share all asks, in turn. */
export const actorCount = 100

/** What a message brings: a text of the size that is measured. */
export interface Question {
  readonly text: string
}

/** What every actor answers. */
export interface Answer {
  /** How many messages it has handled, this one included. */
  readonly count: number
  /** How long the text was that it was sent. */
  readonly bytes: number
}

/** How much is asked at once. */
export interface Load {
  readonly inFlight: number
  readonly payloadBytes: number
}

/** When a sample ends: whichever comes first. Without a number of asks only the time counts. */
export interface Limit {
  readonly ms: number
  readonly asks?: number
}

/** A sample to be taken. */
export interface Order {
  readonly load: Load
  readonly limit: Limit
}

/** What was found. */
export interface Sample {
  readonly asksPerS: number
  readonly p50Us: number
  readonly p99Us: number
}

/** What a program tells the one that started it: that it can be used, and where; or the sample that was ordered. */
export type Report = { readonly ready: string } | { readonly sample: Sample }

const inFlights = [1, 256]
const payloadSizes = [64, 4_096]

/** All loads that are measured. */
export const loads: ReadonlyArray<Load> = inFlights.flatMap((inFlight) =>
  payloadSizes.map((payloadBytes) => ({ inFlight, payloadBytes }))
)
