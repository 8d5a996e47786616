/**
 * Who reads strictly?
 *
 * In some runs callers ask now and then for a series as its owner confirms it. What was committed before they asked
 * has to be in what they are told, whoever owned the series and whatever their host had heard of it.
 */
import { Effect } from "effect"
import * as Announcement from "../../protocol/wire/Announcement.ts"
import * as HistoryReader from "../../client/read.ts"
import { seededNumbers } from "../support/seededOrder.ts"
import * as Callers from "./Callers.ts"
import type { History } from "./History.ts"
import type { SimulatedLink } from "./SimulatedLink.ts"
import type { World } from "./World.ts"

/** The name of such a question. */
export const strictRead = "strict read"

const share = 0.3

/** One of them: when, of which series, by whom, and how long it may take. */
export interface StrictRead {
  readonly atMs: number
  readonly node: string
  readonly caller: number
  readonly budgetMs: number
}

/** When the run of a seed has them: never in most. Drawn apart, so that others are what they were. */
export const draw = (seed: number): ReadonlyArray<StrictRead> => {
  const next = seededNumbers(seed + 0x57_1c)
  if (next() >= share) return []
  const one = <A>(items: ReadonlyArray<A>): A => items[Math.floor(next() * items.length)]!
  return Array.from({ length: 10 + Math.floor(next() * 20) }, () => ({
    atMs: 2500 + next() * 42_000,
    node: one(Callers.nodes),
    caller: Math.floor(next() * 2),
    budgetMs: one(Callers.budgetsMs)
  }))
}

/** A time in which one host hears of no commit, so that what it knows is old. */
export interface Deaf {
  readonly atMs: number
  readonly forMs: number
  /** Which of the hosts that run then, by its number. */
  readonly host: number
}

const deafShare = 0.5
/** Strict reads while a host is deaf come this close together: it looks by itself where it has not for five seconds. */
const deafPauseMs = 700

/** When hosts of the run of a seed are deaf: never in most, and only in those that read strictly. */
export const drawDeaf = (seed: number): ReadonlyArray<Deaf> => {
  const next = seededNumbers(seed + 0x01_44)
  if (draw(seed).length === 0 || next() >= deafShare) return []
  return Array.from({ length: 3 }, (_, index) => ({
    atMs: 2500 + index * 14_000 + next() * 4000,
    forMs: 5500 + next() * 3500,
    host: Math.floor(next() * 3)
  }))
}

/** Strict reads of each series again and again while a host is deaf. */
const readsMeanwhile = ({ atMs, forMs }: Deaf): ReadonlyArray<StrictRead> =>
  Array.from({ length: Math.floor(forMs / deafPauseMs) }, (_, number) =>
    Callers.nodes.map((node) => ({ atMs: atMs + number * deafPauseMs, node, caller: number % 2, budgetMs: 3500 }))
  ).flat()

const isOfCommits = (subject: string): boolean => subject.startsWith(Announcement.changed("coverage", ""))

/** Lets one of the hosts that run at the time hear of no commit for so long. */
const deafen = (
  world: World,
  { atMs, forMs, host }: Deaf,
  history: History,
  links: () => ReadonlyArray<SimulatedLink>
) =>
  world.at(atMs, () => {
    const running = links()
    const link = running[host % running.length]
    if (link === undefined) return
    history.note("fault", `hears of no commit for ${Math.round(forMs)} ms`, () => link.process.name)
    link.isDeafTo = isOfCommits
    world.after(forMs, () => {
      link.isDeafTo = undefined
    })
  })

const [start, end] = Callers.wanted

const questionOf = (caller: Callers.Caller, { budgetMs, node }: Pick<StrictRead, "budgetMs" | "node">) => ({
  what: strictRead,
  about: `${node} ${start}..${end}`,
  budgetMs,
  graceMs: Callers.marginMs,
  put: () =>
    HistoryReader.read(caller.session, [
      node,
      Callers.interval,
      start,
      end,
      { strategy: "partial_fill", consistency: "strict", sla: { totalDeadlineMs: budgetMs, onViolation: "partial" } }
    ]).pipe(Effect.map((result) => ({ node, range: Callers.wanted, minVersion: 0, result })))
})

/** What is read strictly, and who is deaf meanwhile. */
interface Load {
  readonly reads: ReadonlyArray<StrictRead>
  readonly deaf: ReadonlyArray<Deaf>
  readonly links: () => ReadonlyArray<SimulatedLink>
  readonly lastAtMs: number
}

/** Has series read strictly at these times, and for the last time at `lastAtMs`. */
export const load = (
  callers: ReadonlyArray<Callers.Caller>,
  history: History,
  { deaf, lastAtMs, links, reads }: Load
): void => {
  const world = callers[0]!.process.world
  for (const each of deaf) deafen(world, each, history, links)
  for (const [index, read] of [...reads, ...deaf.flatMap(readsMeanwhile)].entries()) {
    const caller = callers[read.caller % callers.length]!
    caller.process.world.at(read.atMs, () =>
      Callers.putQuestion(caller, `strict${index}`, questionOf(caller, read), history)
    )
  }
  const [caller] = callers
  if (reads.length === 0 || caller === undefined) return
  for (const [index, node] of Callers.nodes.entries()) {
    caller.process.world.at(lastAtMs, () =>
      Callers.putQuestion(caller, `strictLast${index}`, questionOf(caller, { node, budgetMs: 3500 }), history)
    )
  }
}
