/** Which requests go wrong, in which way, and how is a bad day repeated exactly? */
import { pageAnswer, refusal, type Answer } from "./BinanceApi.ts"

/** The ways in which an answer goes wrong. */
export const faultNames = ["429", "500", "hang", "truncate"] as const

/** One way in which an answer goes wrong. */
export type FaultName = (typeof faultNames)[number]

/** How large a share of the requests, 0 to 1, goes wrong in each way; together at most 1. */
export type FaultShares = Readonly<Partial<Record<FaultName, number>>>

/** What befalls one request: a fault or none, and where a page would be cut (0 to below 1 of its rows). */
export interface Fate {
  readonly fault: FaultName | null
  readonly cutAt: number
}

/** An answer as it turned out, null if it never comes, and the fault that shows in it. */
export interface Outcome {
  readonly fault: FaultName | null
  readonly answer: Answer | null
}

/** Numbers from 0 to below 1; the same seed gives the same ones (the mulberry32 generator). */
const seeded = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const pick = (shares: FaultShares, drawn: number): FaultName | null => {
  let reached = 0
  for (const name of faultNames) {
    reached += shares[name] ?? 0
    if (drawn < reached) return name
  }
  return null
}

/** Draws the fate of one request after another. */
export const makeFaults = (shares: FaultShares, seed: number): (() => Fate) => {
  const next = seeded(seed)
  // Always two numbers a request, so that the fate of one never shifts the fates of those after it.
  return () => ({ fault: pick(shares, next()), cutAt: next() })
}

const tooMany: Answer = {
  ...refusal(429, -1003, "Too much request weight used; current limit is 6000 request weight per 1 MINUTE."),
  headers: { "Retry-After": "1" }
}
const broken: Answer = refusal(500, -1000, "An unknown error occurred while processing the request.")

const truncate = (answer: Answer, cutAt: number): Outcome => {
  const rows = answer.rows ?? []
  // Nothing to cut: the answer is as it would have been, and does not count as a fault.
  if (rows.length === 0) return { fault: null, answer }
  return { fault: "truncate", answer: pageAnswer(rows.slice(0, Math.floor(rows.length * cutAt))) }
}

const outcomes: Readonly<Record<FaultName, (answer: Answer, cutAt: number) => Outcome>> = {
  "429": () => ({ fault: "429", answer: tooMany }),
  "500": () => ({ fault: "500", answer: broken }),
  hang: () => ({ fault: "hang", answer: null }),
  truncate
}

/** The outcome of a request, given the healthy answer and its fate. */
export const strike = ({ fault, cutAt }: Fate, answer: Answer): Outcome =>
  fault === null ? { fault, answer } : outcomes[fault](answer, cutAt)
