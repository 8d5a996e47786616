/**
 * What is a run like, beside its faults?
 *
 * What the seed says of the source's account, of time that the source gives no answer about, and of what operators
 * order: some runs have plenty of each, and some have none.
 */
import type { Range } from "../../protocol/history/Range.ts"
import type { AccountSettings, Configuration, RetrySettings } from "../../protocol/Settings.ts"
import * as Callers from "./Callers.ts"
import * as Market from "./Market.ts"
import * as PastReads from "./PastReads.ts"
import * as StrictReads from "./StrictReads.ts"
import * as Restated from "./Restated.ts"
import * as Retention from "./Retention.ts"
import * as RolledUp from "./RolledUp.ts"
import * as SimulatedSource from "./SimulatedSource.ts"
import * as Switching from "./Switching.ts"
import type { World } from "./World.ts"

/** What an account allows. */
interface Account extends Required<Pick<AccountSettings, "requestsPerMinute" | "burst" | "concurrency">> {
  /** Whether that may keep what is wanted waiting for so long that not all of it is there in the end. */
  readonly isScarce: boolean
}

/** A backfill that an operator orders. */
export interface Order {
  readonly node: string
  readonly range: Range
  readonly order: "oldest_first" | "newest_first"
  readonly jobClass: "bulk" | "verify"
  /** When it is created, and created again by somebody who is not sure. */
  readonly createdAtMs: ReadonlyArray<number>
  /** What is made of it, and when. */
  readonly changes: ReadonlyArray<{ readonly atMs: number; readonly to: Change }>
}

/** How a backfill may be made to stand. */
type Change = "pause" | "resume" | "cancel"

/** What a seed says. */
export interface Conditions {
  readonly account: Account
  readonly spoiled: ReadonlyArray<SimulatedSource.Spoiled>
  /** What operators say to windows and to stored time, and demands of classes that nobody waits for. */
  readonly words: number
  readonly demands: number
  /** How long a request takes at most on a good day. */
  readonly latencyMsMax: number
  readonly backfill: Order | undefined
  /** A bar that the source gives otherwise at first; in a few runs. */
  readonly restated: Restated.Restated | undefined
  /** When sources are not to be asked; never in most runs. */
  readonly switching: Switching.Switching | undefined
  /** How the sweeper works; in many runs it does not. */
  readonly retention: Retention.Retention | undefined
  /** A series that is rolled up from another; in a few runs. */
  readonly rolledUp: RolledUp.RolledUp | undefined
  /** When past versions are read again; never in many runs. */
  readonly pastReadsAtMs: ReadonlyArray<number>
  /** What is read strictly; nothing in most runs. */
  readonly strictReads: ReadonlyArray<StrictReads.StrictRead>
  /** When a host hears of no commit; never in most runs. */
  readonly deaf: ReadonlyArray<StrictReads.Deaf>
}

/** A window that fails so often in a row waits for a person: soon enough that some do within a minute. */
export const retry: Required<RetrySettings> = { attempts: 3, baseMs: 600, maxMs: 2500 }

const ample: Account = { requestsPerMinute: 600, burst: 8, concurrency: 4, isScarce: false }
const tight: Account = { requestsPerMinute: 240, burst: 4, concurrency: 3, isScarce: false }
const scarce: Account = { requestsPerMinute: 14, burst: 4, concurrency: 2, isScarce: true }
/** One request at a time: where the account moves, the one that was under way keeps all others waiting. */
const narrow: Account = { requestsPerMinute: 900, burst: 8, concurrency: 1, isScarce: true }
const accounts = [ample, ample, ample, ample, tight, tight, narrow, scarce]

const windowMs = Callers.windowBars * Market.barMs
const firstWindow = Math.floor(Callers.wanted[0] / windowMs) * windowMs
/** Windows that have any of the time that is asked for. */
export const windows = Array.from(
  { length: Math.ceil((Callers.wanted[1] - firstWindow) / windowMs) },
  (_, index): Range => [firstWindow + index * windowMs, firstWindow + (index + 1) * windowMs]
)

/** How likely there is time that the source gives no answer about, and how likely never again. */
const spoiledChance = 0.4
const forGood = 0.4

const drawSpoiled = (world: World): ReadonlyArray<SimulatedSource.Spoiled> => {
  if (!world.chance(spoiledChance)) return []
  const untilMs = world.chance(forGood) ? Infinity : world.between(10_000, 38_000)
  const retryable = world.chance(0.3)
  return Array.from({ length: 1 + world.pick(2) }, () => ({
    series: world.pick(Callers.nodes.length),
    range: Callers.choose(world, windows),
    retryable,
    untilMs
  }))
}

const changes: ReadonlyArray<Change> = ["pause", "pause", "resume", "resume", "cancel"]
/** Windows before those that callers ask for. */
const beforeMax = 4

const drawBackfill = (world: World): Order | undefined => {
  if (!world.chance(0.4)) return undefined
  const createdAtMs = world.between(2000, 20_000)
  return {
    node: Callers.choose(world, Callers.nodes),
    range: [Callers.wanted[0] - world.pick(beforeMax) * windowMs, Callers.wanted[1]],
    order: world.chance(0.5) ? "oldest_first" : "newest_first",
    jobClass: world.chance(0.5) ? "bulk" : "verify",
    createdAtMs: [createdAtMs, createdAtMs + world.between(500, 20_000)],
    changes: Array.from({ length: world.pick(4) }, () => ({
      atMs: world.between(createdAtMs, 40_000),
      to: Callers.choose(world, changes)
    }))
  }
}

const latenciesMs = [40, 40, 40, 300, 1000]

/** What is drawn without a number of the world's, so that the rest of the run is what it was. */
const drawApart = (seed: number) => {
  const restated = Restated.draw(seed)
  return {
    restated,
    retention: Retention.draw(seed),
    switching: Switching.draw(seed),
    rolledUp: RolledUp.draw(seed, restated !== undefined),
    pastReadsAtMs: PastReads.draw(seed),
    strictReads: StrictReads.draw(seed),
    deaf: StrictReads.drawDeaf(seed)
  }
}

/** What the seed says of a run. */
export const draw = (world: World, seed: number): Conditions => ({
  ...drawApart(seed),
  account: Callers.choose(world, accounts),
  spoiled: drawSpoiled(world),
  words: world.chance(0.3) ? 0 : 1 + world.pick(10),
  demands: world.pick(8),
  latencyMsMax: Callers.choose(world, latenciesMs),
  backfill: drawBackfill(world)
})

/** The configuration of a run's hosts. */
export const configurationOf = ({ account, restated, retention, rolledUp }: Conditions): Configuration => {
  const { isScarce: _isScarce, ...allowed } = account
  const [first, ...others] = Callers.nodes.map((node, number) => ({
    node,
    intervals: [Callers.interval] as const,
    sources: ["exchange"] as const,
    symbol: SimulatedSource.symbolOf(number),
    windowBars: Callers.windowBars
  }))
  return {
    sources: {
      exchange: {
        kind: "exchange",
        exchange: "binance",
        baseUrl: "http://127.0.0.1:1",
        requestTimeoutMs: SimulatedSource.hangsForMs,
        // one that is under way when its account moves counts for as long as it may last: others are not to wait for it
        concurrency: 4,
        account: "upstream",
        ...(restated !== undefined && { settleMs: restated.settleMs })
      }
    },
    accounts: { upstream: allowed },
    retry,
    ...(retention !== undefined && { retention: Retention.settingsOf(retention) }),
    series: [first!, ...others, ...(rolledUp === undefined ? [] : [RolledUp.settingsOf(rolledUp)])]
  }
}
