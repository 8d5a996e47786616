/**
 * Does every strategy come to what the guide promises, in all situations, with a complete account?
 *
 * Four strategies, nine situations, two demands: each row is a read of a series of its own, on the product's own layers
 * in memory. All rows of a situation are read at once; then the weather clears, and what was begun must be there.
 */
import { readFileSync } from "node:fs"
import { Effect } from "effect"
import { assert, describe, it } from "vitest"
import type { HistoryMeta } from "../../../protocol/history/HistoryResult.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import { Strategy } from "../../../protocol/history/Strategy.ts"
import { checkAccount } from "../../support/checkAccount.ts"
import * as host from "../../support/situationHost.ts"
import {
  type Cell,
  cellOf,
  type Demand,
  demands,
  type Kind,
  type Situation,
  situations,
  tableRows
} from "../../support/strategyTable.ts"

interface Row {
  readonly name: string
  readonly strategy: Strategy
  readonly demand: Demand
  readonly cell: Cell
}

const rowsOf = (situation: Situation): ReadonlyArray<Row> =>
  Strategy.literals.flatMap((strategy) =>
    demands.map((demand) => {
      return { name: `${strategy}:${demand}`, strategy, demand, cell: cellOf(situation, strategy, demand) }
    })
  )

// long enough for whatever comes at all, and short where nothing does
const plenty = { totalDeadlineMs: 30_000 }
const waits: Partial<Record<Situation, object>> = {
  "source slow": { ...plenty, maxWaitBackfillMs: 200 },
  "storage slow": { ...plenty, maxWaitStorageMs: 200 }
}

/** What came of a row, and what was there when the weather had cleared. */
interface Came {
  readonly body: Readonly<Record<string, unknown>>
  readonly after: Readonly<Record<string, unknown>>
  /** Requests that the source was sent until the answer. */
  readonly requests: number
  readonly range: Range
  readonly intervalMs: number
}

const readAll = (situation: Situation): Effect.Effect<ReadonlyMap<string, Came>, unknown> =>
  Effect.scoped(
    Effect.gen(function* () {
      const rows = rowsOf(situation)
      const waiting = rows.filter(({ cell }) => cell.kind === "queued" || cell.kind === "late")
      const started = yield* host.start(situation, {
        names: rows.map(({ name }) => name),
        held: new Set(waiting.map(({ name }) => name))
      })
      const { asked, interval, provide, range, recover } = started
      const [start, end] = range
      const first = yield* Effect.forEach(
        rows,
        ({ demand, name, strategy }) => {
          const sla = { ...(waits[situation] ?? plenty), onViolation: demand, onBackfillFailure: demand }
          const body = { nodeId: name, interval, start, end, strategy, sla, requestId: name, returnMeta: true }
          return Effect.map(provide(host.ask("read", body)), (body) => ({ body, requests: asked.get(name) ?? 0 }))
        },
        { concurrency: "unbounded" }
      )
      yield* recover
      const patient = { interval, start, end, strategy: "auto_backfill", sla: plenty }
      const after = yield* provide(
        Effect.forEach(rows, ({ name }) => host.ask("read", { nodeId: name, ...patient }), { concurrency: "unbounded" })
      )
      const intervalMs = (end - start) / host.rangeBars
      return new Map(
        rows.map(({ name }, index) => [name, { ...first[index]!, after: after[index]!, range, intervalMs }])
      )
    })
  )

/** Bars of the range that an answer of this kind has. */
const barsIn: Readonly<Record<Kind, (situation: Situation) => number>> = {
  complete: () => host.rangeBars,
  untouched: host.storedBars,
  queued: host.storedBars,
  late: host.storedBars,
  failed: host.storedBars,
  unreadLate: () => host.warmBars,
  unreadFailed: () => host.warmBars,
  open: host.storedBars
}

/** What the account of an answer of this kind says, beside what every account says. */
const says: Readonly<Record<Kind, object>> = {
  complete: { missingRanges: [], slaReport: { violation: null } },
  untouched: { slaReport: { violation: null }, sourceOutcomes: { files: { outcome: "not_asked" } } },
  queued: { slaReport: { violation: null }, sourceOutcomes: { files: { outcome: "not_asked" } } },
  late: { slaReport: { violation: { phase: "backfill" } }, sourceOutcomes: { files: { outcome: "timed_out" } } },
  failed: {
    slaReport: { violation: null, phases: { backfill: { retries: 1 } } },
    sourceOutcomes: { files: { outcome: "failed", error: { tag: "SourceUnavailable" } } }
  },
  unreadLate: {
    slaReport: { violation: { phase: "storage" } },
    sourceOutcomes: { cache: { outcome: "ok", chunks: 1 }, storage: { outcome: "timed_out" } }
  },
  unreadFailed: {
    slaReport: { violation: null },
    sourceOutcomes: { cache: { outcome: "ok", chunks: 1 }, storage: { outcome: "failed" } }
  },
  open: { slaReport: { violation: null }, sourceOutcomes: { files: { outcome: "not_asked" } } }
}

const checkMissing = ({ missingRanges }: HistoryMeta, kind: Kind): void => {
  const states = new Set(missingRanges.map(({ state }) => state))
  assert.deepStrictEqual(Array.from(states), kind === "complete" ? [] : [kind === "open" ? "deferred" : "missing"])
  const reason = missingRanges[0]?.reason ?? ""
  if (kind === "unreadLate") assert.strictEqual(reason, "stored, but not read in time")
  if (kind === "unreadFailed") assert.match(reason, /^stored, but not read: read seamless-chunks: no answer$/)
  if (kind === "failed") assert.match(reason, /^files: HTTP 503/)
}

const check = (situation: Situation, { cell, name, strategy }: Row, came: Came): void => {
  const { body, intervalMs, range, requests } = came
  const { error } = body as { readonly error?: { readonly tag: string; readonly message: string } }
  assert.strictEqual(error?.tag, cell.error, JSON.stringify(body).slice(0, 500))
  const bars = barsIn[cell.kind](situation)
  const asked = { range, intervalMs, sources: [host.sourceName], strategy, requestId: name }
  const { coverageRanges } = body["meta"] as { readonly coverageRanges: ReadonlyArray<Range> }
  // each series has a bar wherever it is covered, so the account that an error has can be compared as well
  const covered = coverageRanges.flatMap(([from, to]) =>
    Array.from({ length: (to - from) / intervalMs }, (_, bar) => from + bar * intervalMs)
  )
  const { columns } = body as { readonly columns?: { readonly event_time: ReadonlyArray<number> } }
  assert.strictEqual(columns === undefined, error !== undefined)
  const meta = checkAccount(body["meta"], asked, columns?.event_time ?? covered)
  assert.lengthOf(covered, bars)
  assert.containSubset(meta, says[cell.kind])
  checkMissing(meta, cell.kind)
  if (cell.kind === "untouched" || cell.kind === "open") assert.strictEqual(requests, 0, "nobody was asked")
  const after = came.after["columns"] as { readonly event_time: ReadonlyArray<number> }
  const later = cell.kind === "open" ? bars : host.rangeBars
  assert.lengthOf(after.event_time, later, "what was begun is there when the weather has cleared")
}

const cameOf = new Map<Situation, Promise<ReadonlyMap<string, Came>>>()

const comesOf = (situation: Situation): Promise<ReadonlyMap<string, Came>> => {
  const come = cameOf.get(situation) ?? Effect.runPromise(readAll(situation))
  cameOf.set(situation, come)
  return come
}

for (const situation of situations) {
  describe(situation, () => {
    for (const row of rowsOf(situation)) {
      const { cell, demand, strategy } = row
      it(`${strategy}, ${demand}: ${cell.error ?? cell.kind}`, { timeout: 60_000 }, async () => {
        const came = (await comesOf(situation)).get(row.name)
        assert.isDefined(came)
        check(situation, row, came)
      })
    }
  })
}

it("the guide's table is this one", () => {
  const guide = readFileSync(new URL("../../../docs/guides/strategies.md", import.meta.url), "utf8")
  const lines = guide.slice(guide.indexOf("## What comes of it")).split("\n")
  const cells = lines
    .filter((line) => line.startsWith("|"))
    .slice(2)
    .map((line) =>
      line
        .slice(1, -1)
        .split("|")
        .map((cell) => cell.trim())
    )
  assert.deepStrictEqual(cells, tableRows(Strategy.literals))
})
