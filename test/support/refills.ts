/**
 * What does a source bring when a stretch of a series is refilled from it, page by page?
 */
import { Effect } from "effect"
import type { Known, Step } from "../../actors/backfill/AutoBackfiller.ts"
import { pagedBackfiller } from "../../actors/backfill/pagedBackfiller.ts"
import type { DataSource, Page, PageRequest } from "../../actors/sources/DataSource.ts"
import * as SeriesCatalog from "../../actors/sources/SeriesCatalog.ts"
import { ohlcv } from "../../protocol/frame/DataSchema.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import type { SchemaSettings } from "../../protocol/SchemaSettings.ts"

const minuteMs = 60_000

const [open, ...others] = ohlcv.fields

/** The columns of bars of prices and volume, as a schema names them. */
const barFields: SchemaSettings["fields"] = [open!, ...others]

/** A source that answers as it is told. */
export const sourceOf = (
  page: (request: PageRequest) => Page,
  { barsPerRequest = 100, maxEmptyBars = 60 } = {}
): DataSource => ({
  name: "files",
  kind: "BACKFILL",
  capabilities: { barsPerRequest, maxEmptyBars, finalityDelayMs: 0, attemptsMax: 1 },
  page: (request) => Effect.sync(() => page(request))
})

/** What is not as it usually is. */
interface Changes {
  readonly rules?: SchemaSettings["rules"]
  readonly known?: Partial<Known>
}

/** What a refill of these minutes brings, and how many requests it took. */
export const refilled = Effect.fnUntraced(function* (
  source: DataSource,
  [from, until]: readonly [number, number],
  { known, rules }: Changes = {}
) {
  const { find } = SeriesCatalog.make({
    sources: {},
    schemas: { mine: { fields: barFields, ...(rules !== undefined && { rules }) } },
    series: [{ node: "a", intervals: ["1m"], sources: ["files"], symbol: "A", schema: "mine" }]
  })
  const entry = yield* find("a", "1m")
  const steps: Array<Step> = []
  let requests = 0
  const ended = yield* pagedBackfiller(source)
    .refill(
      {
        entry,
        stretch: [from * minuteMs, until * minuteMs],
        known: Effect.succeed({ covered: RangeSet.empty, shut: RangeSet.empty, finalUntil: Infinity, ...known }),
        gate: { enter: Effect.succeed({ end: () => Effect.void }) },
        work: { jobClass: "bulk", cause: "" },
        onRequest: () => void requests++
      },
      (step) => Effect.sync(() => void steps.push(step))
    )
    .pipe(Effect.result)
  return { entry, steps, ended, requests }
})
