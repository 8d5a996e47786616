/** What does a run come to, in numbers? */
import { nameOf } from "./Fault.ts"
import { didNotStart, didNotStop, type History, type Operation } from "./History.ts"

/** The numbers of a run. */
export interface Figures {
  /** By kind, with what it befell. */
  readonly faults: Readonly<Record<string, number>>
  readonly operations: number
  readonly ok: number
  readonly unknown: number
  readonly errors: number
  /** Slots that changed hands. */
  readonly failovers: number
  /** The longest time in which no operation ended well. */
  readonly longestStallMs: number
  /** The longest time in which nothing was written that a client asked for. */
  readonly longestWriteStallMs: number
  /** What an operation with a budget took beyond it, at the most; timers of a busy process are late, too. */
  readonly overdueMs: number
  /** From the last fault until all work was done. */
  readonly settledMs: number
  /** Members that found no servers when they started, and were started again. */
  readonly failedStarts: number
  /** Members that were told to stop, and had to be killed. */
  readonly forcedStops: number
}

/** The moments between which a run is measured. */
export interface Moments {
  readonly beganMs: number
  readonly settledMs: number
}

const count = (all: ReadonlyArray<string>): Readonly<Record<string, number>> =>
  Object.fromEntries(
    [...Map.groupBy(all, (one) => one)]
      .map(([name, { length }]) => [name, length] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
  )

const longestStall = (operations: ReadonlyArray<Operation>, { beganMs }: Moments): number => {
  const ends = operations.filter(({ outcome }) => outcome === "ok").map(({ completedMs }) => completedMs)
  let [last, longest] = [beganMs, 0]
  for (const end of ends.toSorted((a, b) => a - b)) {
    longest = Math.max(longest, end - last)
    last = end
  }
  return Math.round(longest)
}

const overdue = (operations: ReadonlyArray<Operation>): number =>
  Math.round(
    operations.reduce(
      (most, { budgetMs = Infinity, completedMs, invokedMs }) => Math.max(most, completedMs - invokedMs - budgetMs),
      0
    )
  )

/** The numbers of a history. */
export const figuresOf = (history: History, moments: Moments): Figures => {
  const operations = history.operations()
  const ended = (outcome: Operation["outcome"]) => operations.filter((each) => each.outcome === outcome).length
  const isSlot = ({ atMs, lane }: { readonly atMs: number; readonly lane: string }) =>
    lane === "slots" && atMs >= moments.beganMs
  return {
    faults: count(history.faults().map(nameOf)),
    operations: operations.length,
    ok: ended("ok"),
    unknown: ended("unknown"),
    errors: ended("error"),
    failovers: history.events().filter(isSlot).length,
    longestStallMs: longestStall(operations, moments),
    longestWriteStallMs: longestStall(
      operations.filter(({ what }) => what === "add"),
      moments
    ),
    overdueMs: overdue(operations),
    settledMs: Math.round(moments.settledMs),
    failedStarts: history.events().filter(({ what }) => what === didNotStart).length,
    forcedStops: history.events().filter(({ what }) => what === didNotStop).length
  }
}

/** The numbers, a line each. */
export const describe = (figures: Figures): ReadonlyArray<string> => {
  const { errors, failedStarts, failovers, forcedStops, faults, ok, operations, unknown } = figures
  const injected = Object.values(faults).reduce((sum, each) => sum + each, 0)
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
  return [
    `faults: ${injected}`,
    ...Object.entries(faults).map(([kind, times]) => `  ${kind}: ${times}`),
    `operations: ${operations}; ${ok} ok, ${unknown} of unknown outcome, ${errors} refused or in vain`,
    `slots that changed hands: ${failovers}; starts in vain: ${failedStarts}; stops by force: ${forcedStops}`,
    `longest stall: ${seconds(figures.longestStallMs)}; of counters: ${seconds(figures.longestWriteStallMs)}`,
    `longest time beyond a budget: ${figures.overdueMs} ms`,
    `all work done after the last fault: ${seconds(figures.settledMs)}`
  ]
}
