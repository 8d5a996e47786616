/**
 * What do the rows come to that a reader has had already?
 *
 * In so few words that they travel in a cursor: who goes on late in a long answer counts on from there, and reads
 * nothing again.
 */
import { Option, Schema } from "effect"
import { columnTypes } from "../../protocol/frame/Column.ts"
import type { Found } from "./Found.ts"
import type { RowCounts } from "./historyMeta.ts"

const Times = Schema.Array(Schema.Int)
const Examples = Schema.Record(Schema.String, Times)

/** What all rows before a time come to; names are short, as it is sent with each part. */
const Encoded = Schema.Struct({
  /** The time before which everything is counted. */
  u: Schema.Int,
  /** Rows, those out of order, duplicates, rows that were made, chunks from memory and from storage. */
  n: Schema.Tuple([Schema.Int, Schema.Int, Schema.Int, Schema.Int, Schema.Int, Schema.Int]),
  /** Examples of the counts. */
  e: Schema.optionalKey(Examples),
  /** By column the types in which there were values, and whether there was a number that no float64 has. */
  t: Schema.Record(Schema.String, Schema.Tuple([Schema.Array(Schema.Literals(columnTypes)), Schema.Boolean])),
  /** By rule how many bars something was found in, and the first of them. */
  f: Schema.optionalKey(Schema.Record(Schema.String, Schema.Tuple([Schema.Int, Times]))),
  /** Of the price that is carried on: when it was, and up to where its time goes on. */
  p: Schema.optionalKey(Schema.Tuple([Schema.Int, Schema.Int]))
})

/** The types in which a column had values. */
export interface TypesSeen {
  readonly types: ReadonlySet<(typeof columnTypes)[number]>
  /** Whether there was a whole number that no float64 has. */
  readonly hasWide: boolean
}

/** Where a price is from that is carried on, and up to where its time goes on. */
export interface Priced {
  readonly atMs: number
  readonly untilMs: number
}

/** What the rows of some time come to. */
export interface Sum {
  readonly counts: RowCounts
  /** Rows that were made. */
  readonly made: number
  readonly chunks: { readonly fromCache: number; readonly fromStorage: number }
  readonly types: ReadonlyMap<string, TypesSeen>
  readonly found: Found
}

/** The same of all rows before a time. */
export interface Tally extends Sum {
  readonly untilMs: number
  readonly priced: Priced | undefined
}

const encodeJson = Schema.encodeSync(Schema.fromJsonString(Encoded))
const decodeJson = Schema.decodeUnknownOption(Schema.fromJsonString(Encoded))

const entriesOf = Object.entries

/** As text. */
export const encode = ({ chunks, counts, found, made, priced, types, untilMs }: Tally): string => {
  const { duplicateCount, examples, outOfOrderCount, rows } = counts
  const rules = entriesOf(found)
  return encodeJson({
    u: untilMs,
    n: [rows, outOfOrderCount, duplicateCount, made, chunks.fromCache, chunks.fromStorage],
    ...(examples !== undefined && { e: examples }),
    t: Object.fromEntries(Array.from(types, ([name, seen]) => [name, [Array.from(seen.types), seen.hasWide]])),
    ...(rules.length > 0 && { f: Object.fromEntries(rules.map(([rule, of]) => [rule, [of.count, of.examples]])) }),
    ...(priced !== undefined && { p: [priced.atMs, priced.untilMs] })
  })
}

/** What a text says; none where it is no tally. */
export const decode = (text: string): Option.Option<Tally> =>
  Option.map(decodeJson(text), ({ e, f = {}, n, p, t, u }) => {
    const [rows, outOfOrderCount, duplicateCount, made, fromCache, fromStorage] = n
    return {
      untilMs: u,
      counts: { rows, outOfOrderCount, duplicateCount, ...(e !== undefined && { examples: e }) },
      made,
      chunks: { fromCache, fromStorage },
      types: new Map(entriesOf(t).map(([name, [types, hasWide]]) => [name, { types: new Set(types), hasWide }])),
      found: Object.fromEntries(entriesOf(f).map(([rule, [count, examples]]) => [rule, { count, examples }])),
      priced: p === undefined ? undefined : { atMs: p[0], untilMs: p[1] }
    }
  })
