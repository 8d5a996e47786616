/** What is told of a point in time that can't be read? */
import { Schema } from "effect"
import { AsOf, pointText } from "./AsOf.ts"
import { isoTime } from "./isoTime.ts"

/** A version, and when it was committed, in epoch milliseconds. */
const Point = Schema.Struct({ version: Schema.Int, committedAt: Schema.Finite })

const markText = ({ committedAt, version }: typeof Point.Type): string =>
  `version ${version} of ${isoTime(committedAt)}`

const problems = {
  future: "has not come yet",
  never: "never was: storage was rolled back, and its number was left out",
  notKept: "is no longer kept"
} as const

/** Nothing can be read of the point that was named: ask for one from `oldest` to `newest`. */
export class UnknownPoint extends Schema.TaggedError<UnknownPoint>()("UnknownPoint", {
  nodeId: Schema.String,
  interval: Schema.String,
  asOf: AsOf,
  problem: Schema.Literals(["future", "never", "notKept"]),
  /** The first and the last that can be read. */
  oldest: Point,
  newest: Point
}) {
  override get message() {
    const { asOf, interval, newest, nodeId, oldest, problem } = this
    const kept = `kept are ${markText(oldest)} to ${markText(newest)}`
    return `${pointText(asOf)} of ${nodeId} ${interval} ${problems[problem]}; ${kept}`
  }
}
