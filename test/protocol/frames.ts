/**
 * Which frames do the laws run on?
 *
 * Sealed ones with everything that a frame may hold: times before 1970, every kind of float64, any flags, lineage of
 * any script in runs of any length.
 */
import * as fc from "fast-check"
import { float64 } from "../../protocol/frame/Column.ts"
import type { Frame } from "../../protocol/frame/Frame.ts"
import * as Lineage from "../../protocol/frame/Lineage.ts"

/** Any text that has a form in UTF-8. */
export const text = fc.string({ unit: "binary", maxLength: 12 })

const numbers = fc.oneof(fc.double(), fc.constantFrom(Number.NaN, -0, 0, Infinity, -Infinity))

const times = fc
  .uniqueArray(fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -50, max: 50 })), { maxLength: 24 })
  // adding 0 makes a zero of either sign the one that has a form as an integer
  .map((drawn) => Float64Array.from(drawn, (time) => time + 0).toSorted())

/** Where rows come from; few texts, so that neighbours often agree. */
export const origin: fc.Arbitrary<Lineage.Origin> = fc.record({
  source: fc.oneof(fc.constantFrom("", "a", "b"), text),
  ingestAtMs: fc.constantFrom(0, 1, 1_763_800_000_000, -1),
  jobId: fc.constantFrom("", "1.1", "1.2")
})

/** Lineage of this many rows, in canonical form. */
export const lineageOf = (rows: number): fc.Arbitrary<Lineage.Lineage> =>
  fc
    .array(origin, { minLength: rows, maxLength: rows })
    .map((origins) => Lineage.compact(origins.map((each) => ({ rows: 1, ...each }))))

const floats = (rows: number) =>
  fc.array(numbers, { minLength: rows, maxLength: rows }).map((v) => Float64Array.from(v))

const flags = (rows: number) =>
  fc
    .array(fc.integer({ min: 0, max: 2 ** 32 - 1 }), { minLength: rows, maxLength: rows })
    .map((v) => Uint32Array.from(v))

/** Frames whose columns have these names. */
export const framesOf = (names: ReadonlyArray<string>): fc.Arbitrary<Frame> =>
  times.chain((eventTimeMs) =>
    fc.record({
      eventTimeMs: fc.constant(eventTimeMs),
      columns: fc.tuple(...names.map((name) => floats(eventTimeMs.length).map((values) => float64(name, values)))),
      flags: flags(eventTimeMs.length),
      lineage: lineageOf(eventTimeMs.length)
    })
  )

/** Frames with up to four columns, of the schema or not. */
export const frame: fc.Arbitrary<Frame> = fc
  .subarray(["open", "close", "vwap", "größe"])
  .chain((names) => framesOf(names))

/** A frame and two row numbers within it, the first not after the second. */
export const frameAndRows = frame.chain((drawn) =>
  fc
    .tuple(fc.nat(drawn.eventTimeMs.length), fc.nat(drawn.eventTimeMs.length))
    .map(([a, b]) => ({ frame: drawn, from: Math.min(a, b), to: Math.max(a, b) }))
)

/** A frame and any of its rows by number, in any order, some of them twice. */
export const frameAndOrder = frame.chain((drawn) => {
  const last = drawn.eventTimeMs.length - 1
  const rows = last < 0 ? fc.constant([]) : fc.array(fc.nat(last), { maxLength: 30 })
  return rows.map((order) => ({ frame: drawn, order: Uint32Array.from(order) }))
})

/** The origin of each row: the naive form of lineage. */
export const origins = (runs: Lineage.Lineage): ReadonlyArray<Lineage.Origin> =>
  runs.flatMap(({ rows, ...each }) => Array.from({ length: rows }, () => each))
