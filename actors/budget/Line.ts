/**
 * Who waits to send a request, and in which order are they served?
 *
 * Pure. Classes are served by weight; within a class, series take turns; within a series, first come first served. A
 * ticket whose holder does not ask again in time lets others go first, and later is forgotten.
 */
import type { JobClass } from "../../protocol/history/BackfillJob.ts"
import * as ClassTurns from "./ClassTurns.ts"

/** Tickets that wait at once: more than all workers of a large cluster. */
export const ticketsMax = 256
/** How late a holder may be before others go first: an answer's way there, and a question's way back. */
const lateMs = 250
/** How late a holder may be before its ticket is forgotten. */
const forgetMs = 5000

/** A request that waits. */
export interface Ticket {
  readonly id: string
  /** The process that would send it. */
  readonly asker: string
  readonly source: string
  readonly jobClass: JobClass
  readonly series: string
  readonly weight: number
  /** When its holder was told to ask again. */
  readonly dueAtMs: number
}

/** All that wait. */
export interface Line {
  /** In the order in which they came. */
  readonly tickets: ReadonlyMap<string, Ticket>
  readonly classTurns: ClassTurns.ClassTurns
  /** By class and series: its place among the series of the class. */
  readonly turns: ReadonlyMap<string, number>
  /** Places given so far. */
  readonly places: number
}

/** Nobody waits. */
export const empty: Line = { tickets: new Map(), classTurns: ClassTurns.initial, turns: new Map(), places: 0 }

const turnKey = ({ jobClass, series }: Ticket): string => `${jobClass} ${series}`

const toTheEnd = (line: Line, ticket: Ticket): Line => ({
  ...line,
  turns: new Map(line.turns).set(turnKey(ticket), line.places + 1),
  places: line.places + 1
})

/** With a ticket, which keeps its place where it is there already; unchanged where there are too many. */
export const join = (line: Line, ticket: Ticket): Line => {
  const known = line.tickets.get(ticket.id)
  if (known === undefined && line.tickets.size >= ticketsMax) return line
  // its class and series are those that it came with
  const kept = known === undefined ? ticket : { ...known, dueAtMs: ticket.dueAtMs }
  const joined = { ...line, tickets: new Map(line.tickets).set(kept.id, kept) }
  return line.turns.has(turnKey(kept)) ? joined : toTheEnd(joined, kept)
}

/** Without the tickets of which this holds. */
export const without = (line: Line, isGone: (ticket: Ticket) => boolean): Line => {
  const left = Array.from(line.tickets).filter(([, ticket]) => !isGone(ticket))
  if (left.length === line.tickets.size) return line
  const keys = new Set(left.map(([, ticket]) => turnKey(ticket)))
  return { ...line, tickets: new Map(left), turns: new Map(Array.from(line.turns).filter(([key]) => keys.has(key))) }
}

/** Without those whose holders have long been due to ask again. */
export const withoutForgotten = (line: Line, nowMs: number): Line =>
  without(line, ({ dueAtMs }) => dueAtMs + forgetMs < nowMs)

/** Those that are to be served now, as long as nothing else keeps them. */
export const present = (line: Line, nowMs: number): ReadonlyArray<Ticket> =>
  Array.from(line.tickets.values()).filter(({ dueAtMs }) => nowMs <= dueAtMs + lateMs)

type Queues = Map<JobClass, Array<Array<Ticket>>>

/** The tickets by class, in queues by series, that first whose turn it is. */
const queuesOf = ({ turns }: Line, tickets: ReadonlyArray<Ticket>): Queues => {
  const bySeries = new Map<string, Array<Ticket>>()
  for (const ticket of tickets) {
    const queue = bySeries.get(turnKey(ticket))
    if (queue === undefined) bySeries.set(turnKey(ticket), [ticket])
    else queue.push(ticket)
  }
  const inTurn = Array.from(bySeries).toSorted(([a], [b]) => (turns.get(a) ?? 0) - (turns.get(b) ?? 0))
  const queues: Queues = new Map()
  for (const [, queue] of inTurn) {
    const { jobClass } = queue[0]!
    const others = queues.get(jobClass)
    if (others === undefined) queues.set(jobClass, [queue])
    else others.push(queue)
  }
  return queues
}

/** Takes the first of a class out of its queue, and puts its series behind the others. */
const takeFirst = (queues: Queues, jobClass: JobClass): Ticket | undefined => {
  const ofClass = queues.get(jobClass)
  const series = ofClass?.shift()
  const first = series?.shift()
  if (series !== undefined && series.length > 0) ofClass?.push(series)
  return first
}

/** The order in which these would be served, if nobody else came: the first of them, so many. */
export const order = (line: Line, tickets: ReadonlyArray<Ticket>, count: number): ReadonlyArray<Ticket> => {
  const queues = queuesOf(line, tickets)
  const isWaiting = (each: JobClass): boolean => (queues.get(each)?.length ?? 0) > 0
  const served: Array<Ticket> = []
  let { classTurns } = line
  while (served.length < count) {
    const next = ClassTurns.nextClass(classTurns, isWaiting)
    if (next === undefined) break
    classTurns = ClassTurns.sent(classTurns, next, isWaiting)
    const first = takeFirst(queues, next)
    if (first !== undefined) served.push(first)
  }
  return served
}

/** After one of these tickets was served. */
export const serve = (line: Line, ticket: Ticket, tickets: ReadonlyArray<Ticket>): Line => {
  const waiting = new Set(tickets.map(({ jobClass }) => jobClass))
  const classTurns = ClassTurns.sent(line.classTurns, ticket.jobClass, (each) => waiting.has(each))
  const rest = without({ ...line, classTurns }, ({ id }) => id === ticket.id)
  return rest.turns.has(turnKey(ticket)) ? toTheEnd(rest, ticket) : rest
}
