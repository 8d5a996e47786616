/**
 * Which bar did a commit revise, and how?
 *
 * A root tells this of the first bars that its commit revised; of all of them it tells when they were. The rest is to
 * be had by comparing the two versions.
 */
import { Schema } from "effect"
import { BarChange } from "./BarChange.ts"

/** One bar that a source gives otherwise than it did. */
export const RevisedBar = Schema.Struct({ ...BarChange.fields, source: Schema.String })
export type RevisedBar = typeof RevisedBar.Type

/** So many bars are told of with their values. */
export const revisedBarsMax = 64

/** So many columns of each. */
export const toldColumnsMax = 16

/** So many characters of a text: all of it together has room in a root, and in what tells of it. */
export const toldTextMax = 40
