/** Which point in time of what was known does a caller mean? */
import { Schema } from "effect"
import { isoTime } from "./isoTime.ts"

const isOne = ({ time, version }: { readonly version?: number; readonly time?: number }) =>
  (version === undefined) !== (time === undefined) || "has either a version or a time, in epoch milliseconds"

/** A version of the coverage, or what stood at a time, in epoch milliseconds; one of the two. */
export const AsOf = Schema.Struct({
  version: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))),
  time: Schema.optionalKey(Schema.Int)
}).check(Schema.makeFilter(isOne))
export type AsOf = typeof AsOf.Type

/** The point as a person reads it. */
export const pointText = ({ time, version }: AsOf): string =>
  version === undefined ? isoTime(time ?? 0) : `version ${version}`
