/**
 * What do the clients of a run ask, whatever happens to the cluster?
 *
 * Each sends so many questions a second, drawn by the seed: it adds to counters and looks at them, sets timers, has
 * windows filled, and reads. Answers with rows are judged as they come, since nobody could keep them all.
 */
import { Effect } from "effect"
import type { HistoryMeta } from "../../../client/HistoryResult.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import type { Undelivered } from "../../../protocol/wire/Envelope.ts"
import type { ActorSystem } from "../../../runtime/ActorSystem.ts"
import { withBudget } from "../../../runtime/Deadline.ts"
import * as BarFile from "../../support/BarFile.ts"
import { asking, readFile } from "../../support/ClusterHarness.ts"
import * as Load from "../../support/members/Load.ts"
import { Saved } from "../../support/members/testActors.ts"
import { seededNumbers } from "../../support/seededOrder.ts"
import { type ChaosClient, files, windowBars } from "./Bottle.ts"
import { differences } from "./compareRows.ts"
import type { History } from "./History.ts"

const perSecond = 30
const hotActors = 5
const coldActors = 95
/** Budgets: too short for a failover, long enough, and long enough for an outage. */
const budgetsMs = [1000, 4000, 12_000] as const
const readBarsMax = 600
const barMs = 60_000
const windowMs = windowBars * barMs

/** The counters that are asked: a few of them often. */
export const counterKeys: ReadonlyArray<string> = [
  ...Array.from({ length: hotActors }, (_, index) => `h${index}`),
  ...Array.from({ length: coldActors }, (_, index) => `c${index}`)
]

/** Each file that the cluster keeps, and what is in it. */
export const records = files.map((file) => ({ file, record: BarFile.read(file) }))

type Recorded = (typeof records)[number]

/** What an answer said of coverage. */
export interface CoverageAnswer {
  readonly id: string
  readonly node: string
  readonly range: Range
  /** The version of the coverage that it speaks of. */
  readonly version: number
  readonly covered: ReadonlyArray<Range>
  /** Whether it came within its budgets, and with all that is stored: otherwise some of what is covered may be left out. */
  readonly isWhole: boolean
}

/** What storage has come to where some of what is stored was not read. */
const unread: ReadonlySet<string> = new Set(["failed", "timed_out"])

const coverageAnswer = (
  asked: Pick<CoverageAnswer, "id" | "node" | "range">,
  meta: Pick<HistoryMeta, "coverageRanges" | "coverageVersion" | "slaReport" | "sourceOutcomes">
): CoverageAnswer => ({
  ...asked,
  version: meta.coverageVersion,
  covered: meta.coverageRanges,
  isWhole: meta.slaReport.violation === null && !unread.has(meta.sourceOutcomes["storage"]?.outcome ?? "ok")
})

/** Answers about history, as they come. */
export const makeSeen = () => ({ violations: new Array<string>(), answers: new Array<CoverageAnswer>() })

/** What was answered about history: what is wrong with it at once, and what is to be judged at the end. */
export type Seen = ReturnType<typeof makeSeen>

/** One who asks. */
interface Asker {
  readonly client: ChaosClient
  readonly history: History
  readonly seen: Seen
  readonly next: () => number
  /** By node: the newest version that it was told. */
  readonly versions: Map<string, number>
  asked: number
}

const pick = <A>(from: ReadonlyArray<A>, next: () => number): A => from[Math.floor(next() * from.length)]!

const idOf = (asker: Asker): string => `${asker.client.name}-${asker.asked++}`

const drawCounter = (next: () => number): string =>
  next() < 0.25 ? counterKeys[Math.floor(next() * hotActors)]! : pick(counterKeys.slice(hotActors), next)

interface ActorQuestion {
  readonly input: unknown
  readonly run: Effect.Effect<unknown, Undelivered, ActorSystem>
}

const askActor = (asker: Asker, what: "add" | "get" | "ring") => {
  const { client, history, next } = asker
  const id = idOf(asker)
  // a timer of its own for each ring, so that each is to ring once
  const key = what === "ring" ? `t-${id}` : drawCounter(next)
  const [by, afterMs, budgetMs] = [1 + Math.floor(next() * 5), Math.floor(next() * 5000), pick(budgetsMs, next)]
  const ref = Saved.ref(key)
  const options = { operationId: id }
  const asks: Record<typeof what, ActorQuestion> = {
    add: { input: { by }, run: ref.ask("add", { by }, options) },
    get: { input: null, run: ref.ask("get", null, options) },
    ring: { input: { afterMs }, run: ref.ask("ringLater", { afterMs }, options) }
  }
  const { input, run } = asks[what]
  return history
    .operation({ id, client: client.name, what, key, input, budgetMs }, run)
    .pipe(withBudget(budgetMs), Effect.provide(client.caller))
}

const drawRange = ({ record }: Recorded, next: () => number): Range => {
  const bars = (record.range[1] - record.range[0]) / barMs
  const first = Math.floor(next() * bars)
  const count = 1 + Math.floor(next() * Math.min(readBarsMax, bars - first))
  const start = record.range[0] + first * barMs
  return [start, start + Math.min(count, bars - first) * barMs]
}

/** Reads whatever is there, at least as new as what it was told before. */
const readRange = (asker: Asker) => {
  const { client, history, next, seen, versions } = asker
  const recorded = pick(records, next)
  const { file, record } = recorded
  const range = drawRange(recorded, next)
  const minVersion = versions.get(file.node) ?? 0
  const id = idOf(asker)
  // without one it would wait for an answer that was lost for as long as a client has patience
  const sla = { totalDeadlineMs: pick(budgetsMs, next) }
  const options = { strategy: "partial_fill", minVersion, sla } as const
  const read = Effect.map(readFile(client.history, file, range, options), (answer) => {
    const differing = differences(record, range, answer)
    const { coverageVersion, fingerprint } = answer.meta
    const where = `${id}, ${file.node} ${JSON.stringify(range)}`
    if (differing.length > 0) seen.violations.push(`${where}: the answer differs in ${differing.join(", ")}`)
    if (coverageVersion < minVersion) seen.violations.push(`${where}: version ${coverageVersion} after ${minVersion}`)
    seen.answers.push(coverageAnswer({ id, node: file.node, range }, answer.meta))
    versions.set(file.node, Math.max(versions.get(file.node) ?? 0, coverageVersion))
    return { rows: answer.df.length, coverageVersion, fingerprint }
  })
  const question = { id, client: client.name, what: "read", key: file.node, input: { range, minVersion } }
  return history.operation(question, read)
}

/** Has a window filled, or what of the file is in it. */
const ensureWindow = (asker: Asker) => {
  const { client, history, next, seen } = asker
  const { file, record } = pick(records, next)
  const [id, totalDeadlineMs] = [idOf(asker), pick(budgetsMs, next)]
  const [from, to] = record.range
  const at = from + Math.floor((next() * (to - from)) / windowMs) * windowMs
  const range: Range = [at, Math.min(to, at + windowMs)]
  const ensure = Effect.map(
    asking(() =>
      client.history.ensureAvailable(file.node, file.interval, ...range, {
        strategy: "auto_backfill",
        sla: { totalDeadlineMs }
      })
    ),
    (answer) => {
      seen.answers.push(coverageAnswer({ id, node: file.node, range }, answer))
      const { available, coverageVersion, jobs } = answer
      return { available, coverageVersion, jobs: jobs.length }
    }
  )
  const question = { id, client: client.name, what: "ensure", key: file.node, input: { range } }
  return history.operation(question, ensure)
}

// of the questions; the windows of all files are asked for once in the time of a long run
const ensureShareMax = 0.03
const windows = records.reduce((sum, { record }) => sum + (record.range[1] - record.range[0]) / windowMs, 0)
const ensureShareOf = (clients: number, forMs: number): number =>
  Math.min(ensureShareMax, windows / ((clients * perSecond * forMs) / 1000))

const askSomething = (asker: Asker, ensureShare: number) => {
  const drawn = asker.next()
  if (drawn < ensureShare) return ensureWindow(asker)
  if (drawn < ensureShare + 0.01) return askActor(asker, "ring")
  if (drawn < 0.15) return readRange(asker)
  return askActor(asker, drawn < 0.35 ? "get" : "add")
}

/** Asks from now on; ends when nobody asks any more and all have their answers. */
export const start = Effect.fnUntraced(function* (
  clients: ReadonlyArray<ChaosClient>,
  given: { readonly history: History; readonly seen: Seen; readonly seed: number; readonly forMs: number }
) {
  const ensureShare = ensureShareOf(clients.length, given.forMs)
  const loads = yield* Effect.forEach(clients, (client, index) => {
    const next = seededNumbers(given.seed * clients.length + index)
    const asker: Asker = { client, ...given, next, versions: new Map(), asked: 0 }
    return Load.start(perSecond, () => askSomething(asker, ensureShare))
  })
  return { stop: Effect.forEach(loads, ({ stop }) => stop, { concurrency: "unbounded", discard: true }) }
})
