/**
 * What comes of a read, by its strategy, by what it finds, and by what its caller takes for an error?
 *
 * The table that the guide to strategies shows, as a value: tests run each row, and compare the guide's with it.
 */
import type { Strategy } from "../../protocol/history/Strategy.ts"

/** What a read finds. */
export const situations = [
  "all covered",
  "small gap",
  "large gap",
  "all missing",
  "source slow",
  "source down",
  "storage slow",
  "storage down",
  "live edge"
] as const
export type Situation = (typeof situations)[number]

/** What a caller takes for an error, by `onViolation` and `onBackfillFailure` at once. */
export const demands = ["partial", "error"] as const
export type Demand = (typeof demands)[number]

/** What an answer has, and what its account says of the rest, as the guide has it. */
const kinds = {
  complete: "all bars",
  untouched: "what is stored; nobody is asked for the rest",
  queued: "what is stored; the rest is being filled",
  late: "what is stored, and a violation of `backfill`; the rest is being filled",
  failed: "what is stored; the source `failed`, and is asked again later",
  unreadLate: "what is in memory, and a violation of `storage`",
  unreadFailed: "what is in memory; `storage` has `failed`",
  open: "what is final; the rest is `deferred`, until when it can be had"
} as const
export type Kind = keyof typeof kinds

/** What comes of one row: an answer, or an error that has the account of that answer. */
export interface Cell {
  readonly kind: Kind
  readonly error?: string
}

/** What comes of a strategy, whatever its caller takes for an error, or by that. */
type Column = Cell | Readonly<Record<Demand, Cell>>

const refused = (kind: Kind, error: string): Cell => ({ kind, error })
const asDemanded = (kind: Kind, error: string): Column => ({ partial: { kind }, error: { kind, error } })
const all: Column = { kind: "complete" }
const queued: Column = { kind: "queued" }
const none = refused("untouched", "CoverageMissing")
const late = asDemanded("late", "SlaViolated")
const failed = asDemanded("failed", "SourceUnavailable")
const unreadLate = asDemanded("unreadLate", "SlaViolated")
const unreadFailed = asDemanded("unreadFailed", "MeshUnavailable")
const open: Column = { kind: "open" }

const table: Readonly<Record<Situation, Readonly<Record<Strategy, Column>>>> = {
  "all covered": { fail_fast: all, partial_fill: all, auto_backfill: all, seamless: all },
  "small gap": { fail_fast: none, partial_fill: queued, auto_backfill: all, seamless: all },
  "large gap": { fail_fast: none, partial_fill: queued, auto_backfill: all, seamless: queued },
  "all missing": { fail_fast: none, partial_fill: queued, auto_backfill: all, seamless: queued },
  "source slow": { fail_fast: none, partial_fill: queued, auto_backfill: late, seamless: late },
  "source down": { fail_fast: none, partial_fill: queued, auto_backfill: failed, seamless: failed },
  "storage slow": {
    fail_fast: refused("unreadLate", "SlaViolated"),
    partial_fill: unreadLate,
    auto_backfill: unreadLate,
    seamless: unreadLate
  },
  "storage down": {
    fail_fast: refused("unreadFailed", "MeshUnavailable"),
    partial_fill: unreadFailed,
    auto_backfill: unreadFailed,
    seamless: unreadFailed
  },
  "live edge": {
    fail_fast: refused("open", "CoverageMissing"),
    partial_fill: open,
    auto_backfill: open,
    seamless: open
  }
}

/** What comes of one row of the table. */
export const cellOf = (situation: Situation, strategy: Strategy, demand: Demand): Cell => {
  const column = table[situation][strategy]
  return "kind" in column ? column : column[demand]
}

const textOf = ({ error, kind }: Cell): string => (error === undefined ? kinds[kind] : `the error \`${error}\``)

/** The rows of the table as a user reads them: what it finds, the strategy, and what comes of either demand. */
export const tableRows = (strategies: ReadonlyArray<Strategy>): ReadonlyArray<ReadonlyArray<string>> =>
  situations.flatMap((situation) =>
    strategies.map((strategy) => [
      situation,
      `\`${strategy}\``,
      ...demands.map((demand) => textOf(cellOf(situation, strategy, demand)))
    ])
  )
