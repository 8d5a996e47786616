/**
 * Does a read whose answer is taken in parts come to the same as in one message, whatever it finds and demands?
 *
 * Each row is read twice, of two series that are in the same situation, so that none finds what the other has filled.
 */
import { Effect } from "effect"
import { assert, describe, it } from "vitest"
import type { Refused } from "../../../actors/provider/read.ts"
import type { SeamlessDataProvider } from "../../../actors/provider/SeamlessDataProvider.ts"
import { sendParts } from "../../../actors/provider/sendParts.ts"
import type * as Frame from "../../../protocol/frame/Frame.ts"
import type { HistoryMeta, RefusedMeta } from "../../../protocol/history/HistoryResult.ts"
import { Strategy } from "../../../protocol/history/Strategy.ts"
import { askAdmin } from "../../support/memoryHost.ts"
import * as host from "../../support/situationHost.ts"
import { type Situation, situations } from "../../support/strategyTable.ts"

const demands = {
  "takes what there is": { sla: {} },
  "takes no failure": { sla: { onViolation: "error", onBackfillFailure: "error" } },
  strict: { strict: true, sla: {} },
  "strict, flagged": { strict: true, onStrictViolation: "flag", sla: {} },
  "nearly all": { sla: { minCoverage: 0.95 } },
  "nearly all, or an error": { sla: { minCoverage: 0.95, onViolation: "error" } },
  confirmed: { consistency: "strict", sla: { onViolation: "error" } }
} as const

const rows = Strategy.literals.flatMap((strategy) =>
  Object.entries(demands).map(([demand, options]) => ({ name: `${strategy}, ${demand}`, strategy, options }))
)

// long enough for whatever comes at all, and short where nothing does
const plenty = { totalDeadlineMs: 30_000 }
const waits: Partial<Record<Situation, object>> = {
  "source slow": { ...plenty, maxWaitBackfillMs: 200 },
  "storage slow": { totalDeadlineMs: 2000, maxWaitStorageMs: 200 }
}

const stores = new Set(["cache", "storage"])

/** What of an account is the same however the rows came, and whether there are any. */
const told = (meta: RefusedMeta) => ({
  strategy: meta.strategy,
  strict: meta.strict,
  coverageRanges: meta.coverageRanges,
  missing: meta.missingRanges.map(({ end, start, state }) => ({ start, end, state })),
  // which of the two stores had a row is chance: they are shared by all rows
  sources: Object.entries(meta.sourceOutcomes).flatMap(([name, { outcome }]) =>
    stores.has(name) && (outcome === "ok" || outcome === "not_asked") ? [] : [[name, outcome]]
  ),
  violation: meta.slaReport.violation?.phase
})

/** What of an account is about the rows. */
const rowsTold = (meta: RefusedMeta) => ({
  contributions: meta.sourceContributions,
  rows: meta.qualitySummary?.rows,
  strictFinding: meta.qualitySummary?.strict?.gotBars
})

/** What a read came to: its rows and account, or its error, which has an account where the read was refused. */
type Came =
  | { readonly error: string; readonly refusal?: { readonly fields: object; readonly told: object } }
  | { readonly times: ReadonlyArray<number>; readonly told: object }

const failed = ({ _tag }: { readonly _tag: string }): Effect.Effect<Came> => Effect.succeed({ error: _tag })

/** A refusal, and what it says that needs no rows. */
const refused = ({ error, result: { meta } }: Refused): Effect.Effect<Came> => {
  const fields = "missingRanges" in error ? { missing: error.missingRanges.map(({ end, start }) => [start, end]) } : {}
  const bars = "missingBars" in error ? { missingBars: error.missingBars } : {}
  return Effect.succeed({ error: error._tag, refusal: { fields: { ...fields, ...bars }, told: told(meta) } })
}

const whole = (provider: SeamlessDataProvider["Service"], body: object): Effect.Effect<Came> =>
  provider.read(body).pipe(
    Effect.map(({ result: { df, meta } }): Came => ({
      times: Array.from(df.eventTimeMs),
      told: { ...told(meta), ...rowsTold(meta) }
    })),
    Effect.catchTag("Refused", refused),
    Effect.catch(failed)
  )

const inParts = (provider: SeamlessDataProvider["Service"], body: object): Effect.Effect<Came> =>
  Effect.gen(function* () {
    const frames: Array<Frame.Frame> = []
    let account: HistoryMeta | undefined
    const { flow, whole: atOnce } = yield* provider.readParts(body)
    assert.isUndefined(atOnce)
    yield* sendParts(flow, {
      credit: { subject: "flow", take: Effect.succeed(true) },
      encode: (df, meta) =>
        Effect.sync(() => {
          frames.push(df)
          account = meta ?? account
          return { data: new Uint8Array(1), headers: new Map() }
        }),
      send: () => undefined,
      bytesMax: 1_000_000
    })
    const times = frames.flatMap(({ eventTimeMs }) => Array.from(eventTimeMs))
    return { times, told: { ...told(account!), ...rowsTold(account!) } } satisfies Came
  }).pipe(Effect.catchTag("Refused", refused), Effect.catch(failed))

/** Every row of a situation, read both ways at once. */
const readAll = (situation: Situation, switched?: string) =>
  Effect.gen(function* () {
    const names = rows.flatMap(({ name }) => [`${name}: whole`, `${name}: parts`])
    const isHeld = situation === "source slow"
    const started = yield* host.start(situation, { names, held: new Set(isHeld ? names : []) })
    const { interval, provide, providers, range, recover } = started
    if (switched !== undefined) {
      yield* provide(askAdmin("turnSwitch", { name: switched, on: true, reason: "a test" }))
    }
    const [start, end] = range
    const came = yield* Effect.forEach(
      rows,
      ({ name, options, strategy }) => {
        const { sla, ...more } = options
        const body = {
          interval,
          start,
          end,
          strategy,
          ...more,
          sla: { ...(waits[situation] ?? plenty), ...sla },
          requestId: name
        }
        return Effect.all(
          [
            whole(providers.whole, { ...body, nodeId: `${name}: whole` }),
            inParts(providers.inParts, { ...body, nodeId: `${name}: parts` })
          ],
          { concurrency: 2 }
        )
      },
      { concurrency: "unbounded" }
    )
    yield* recover
    return came
  }).pipe(Effect.scoped)

// what is stored and not read is left out of one message; rows that were sent can't be taken back
const unread = new Set(["MeshUnavailable", "DeadlineExceeded"])

describe("an answer in parts", () => {
  for (const situation of situations) {
    it(`comes to what one message has where the situation is: ${situation}`, async () => {
      const isUnread = situation === "storage slow" || situation === "storage down"
      const came = await Effect.runPromise(readAll(situation))
      for (const [index, [one, other]] of came.entries()) {
        const { name } = rows[index]!
        if (isUnread) assert.isTrue("error" in other && unread.has(other.error), `${name}: ${JSON.stringify(other)}`)
        else assert.deepStrictEqual(other, one, name)
      }
    })
  }

  for (const name of ["FORCE_FAIL_FAST", "DISABLE_BACKFILL"]) {
    it(`comes to what one message has where an operator has turned ${name} on`, async () => {
      for (const situation of ["all covered", "small gap"] as const) {
        for (const [index, [one, other]] of (await Effect.runPromise(readAll(situation, name))).entries()) {
          assert.deepStrictEqual(other, one, `${situation}: ${rows[index]!.name}`)
        }
      }
    })
  }
})
