/**
 * What has changed below, as the finer series' history tells it?
 *
 * Pure. Versions are taken in their order, each once; between two that follow each other nothing is left out. Where one
 * is missing (storage was rolled back, or the history does not reach so far back any more) nobody knows what changed,
 * and all may have.
 */
import { Option, Schema } from "effect"
import { Pairs } from "../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import * as Codec from "../../protocol/wire/Codec.ts"

/** What is read of a root: which it is, and what it changed. */
const ChangedRoot = Schema.Struct({
  version: Schema.Int,
  diff: Schema.Struct({
    removed: Pairs,
    /** The time of bars whose values changed; absent in roots of before there was such a thing. */
    revised: Schema.optionalKey(Pairs)
  })
})
export type ChangedRoot = typeof ChangedRoot.Type

const decode = Schema.decodeUnknownOption(ChangedRoot)

/** The root in an entry of a history; none where it can't be read. */
export const readChange = (bytes: Option.Option<Uint8Array>): Option.Option<ChangedRoot> =>
  Option.flatMap(Option.flatMap(bytes, Codec.fromJson), decode)

/** How far changes have been taken, and what they come to. */
export interface Taken {
  readonly version: number
  /** Time of bars that are not there any more, or not as they were. */
  readonly touched: RangeSet.RangeSet
  /** Whether anything may have changed besides. */
  readonly isBroken: boolean
}

/** Nothing taken yet behind a version. */
export const from = (version: number): Taken => ({ version, touched: RangeSet.empty, isBroken: false })

/** With one more root of the history; one that was taken before changes nothing. */
export const take = (taken: Taken, { diff: { removed, revised = RangeSet.empty }, version }: ChangedRoot): Taken => {
  if (version <= taken.version) return taken
  return {
    version,
    touched: RangeSet.unionAll([taken.touched, removed, revised]),
    isBroken: taken.isBroken || version !== taken.version + 1
  }
}
