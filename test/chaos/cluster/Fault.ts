/**
 * What goes wrong in a run, in which order?
 *
 * A seed decides it, and nothing else: three tracks, of members, of servers and of the ways between, each one fault
 * after another. How far a track gets depends on how long its victims take to recover.
 */
import { seededNumbers, seededOrder } from "../../support/seededOrder.ts"

/**
 * What is done to processes: `roll` stops and starts each of them in order, as an operator does, and `outage` freezes
 * two at once.
 */
type ProcessFault = "kill" | "freeze" | "roll" | "outage"

/** What is done to the ways of one process to all servers. */
export type WayFault = "cut" | "cutToServer" | "cutToClient" | "halfOpen" | "reset" | "refuse" | "loss" | "latency"

/** The tracks, by what their faults befall. */
export type Track = "member" | "server" | "way"

/** One fault. */
export interface Fault {
  readonly track: Track
  readonly kind: ProcessFault | WayFault
  /** Which member, server or process; counted from 0. A roll is of all. */
  readonly target: number
  /** The pause before it. */
  readonly afterMs: number
  /** How long it lasts, where it does not last as long as it takes. */
  readonly forMs: number
}

interface Span {
  readonly min: number
  readonly max: number
}

interface Plan {
  readonly kinds: ReadonlyArray<Fault["kind"]>
  readonly targets: number
  readonly afterMs: Span
  /** Sessions last 3 s: some faults are over before that, and most are not. */
  readonly forMs: Span
}

const plans: Readonly<Record<Track, Plan>> = {
  member: {
    kinds: ["kill", "freeze", "kill", "freeze", "roll"],
    targets: 3,
    afterMs: { min: 1000, max: 5000 },
    forMs: { min: 500, max: 7000 }
  },
  // one at a time, as a rule: a crash is 4 to 9 s without writes as it is, and without two of three nothing is written
  server: {
    kinds: ["kill", "freeze", "kill", "freeze", "roll", "outage"],
    targets: 3,
    afterMs: { min: 3000, max: 9000 },
    forMs: { min: 500, max: 8000 }
  },
  way: {
    kinds: ["cut", "cutToServer", "cutToClient", "halfOpen", "reset", "refuse", "loss", "latency"],
    targets: 5,
    afterMs: { min: 500, max: 3000 },
    forMs: { min: 500, max: 6000 }
  }
}

/** The tracks, each with how its faults are drawn. */
export const tracks: ReadonlyArray<Track> = ["member", "server", "way"]

const between = ({ max, min }: Span, drawn: number): number => Math.round(min + drawn * (max - min))

/** The faults of a track, one after another, without end: each kind comes as often as the others. */
export const drawer = (track: Track, seed: number): (() => Fault) => {
  const { afterMs, forMs, kinds, targets } = plans[track]
  const trackSeed = seed * tracks.length + tracks.indexOf(track)
  const next = seededNumbers(trackSeed)
  let drawn = 0
  let order: ReadonlyArray<number> = []
  return () => {
    const place = drawn % kinds.length
    if (place === 0) order = seededOrder(kinds.length, trackSeed + drawn)
    drawn += 1
    return {
      track,
      kind: kinds[order[place]!]!,
      target: Math.floor(next() * targets),
      afterMs: between(afterMs, next()),
      forMs: between(forMs, next())
    }
  }
}

/** The name of a fault's kind, with what it befalls. */
export const nameOf = ({ kind, track }: Pick<Fault, "kind" | "track">): string =>
  track === "way" ? kind : `${kind} ${track}`
