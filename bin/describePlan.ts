/** How is it told what filling a range would take? */
import type { AdminAnswer } from "../client/admin.ts"
import { amountText, clockText } from "./amountText.ts"
import { isoTime } from "./isoTime.ts"
import { absent, tableOf } from "./tableOf.ts"

type Plan = AdminAnswer<"plan">

/** Bars that are not asked for, by why. */
const otherBars = ({ coveredBars, deferredBars, quarantinedBars, unavailableBars }: Plan): ReadonlyArray<string> => {
  const counts: ReadonlyArray<readonly [number, string]> = [
    [coveredBars, "are covered"],
    [unavailableBars, "are unavailable"],
    [quarantinedBars, "are quarantined"],
    [deferredBars, "are deferred"]
  ]
  return counts.flatMap(([bars, why]) => (bars === 0 ? [] : [`${amountText(bars)} ${why}`]))
}

const secondsText = (seconds: number | null): string =>
  seconds === null
    ? `${absent}  (no rate budget is known for the source)`
    : `${amountText(Math.ceil(seconds))}  (${clockText(seconds)})`

/** Bars, windows, requests and time, and each source's share; for a person. */
export const describePlan = (plan: Plan): string => {
  const { bars, end, interval, nodeId, requests, seconds, sources, start, windows } = plan
  const others = otherBars(plan)
  return [
    `${nodeId} ${interval}, ${isoTime(start)} to ${isoTime(end)}`,
    `bars      ${amountText(bars)} to bring${others.length === 0 ? "" : `; ${others.join(", ")}`}`,
    `windows   ${amountText(windows)}`,
    `requests  ${amountText(requests)}`,
    `seconds   ${secondsText(seconds)}`,
    "",
    tableOf(sources, [
      ["source", ({ source }) => source],
      ["requests", ({ requests }) => amountText(requests), "right"],
      ["bars/request", ({ barsPerRequest }) => amountText(barsPerRequest), "right"],
      [
        "requests/min",
        ({ requestsPerMinute }) => (requestsPerMinute === null ? absent : amountText(requestsPerMinute)),
        "right"
      ],
      ["time", ({ seconds }) => (seconds === null ? absent : clockText(seconds)), "right"]
    ])
  ].join("\n")
}
