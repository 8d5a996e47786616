/** How is it told what bars were, and what they are? */
import type { ToldValue } from "../protocol/history/BarChange.ts"
import type { RevisedBar } from "../protocol/history/RevisedBar.ts"
import { isoTime } from "./isoTime.ts"
import { absent, type ColumnOf, tableOf } from "./tableOf.ts"

type Values = Readonly<Record<string, ToldValue>>

const valueText = (value: ToldValue | undefined): string => ((value ?? null) === null ? absent : String(value))

const valuesText = (values: Values): string =>
  Object.entries(values)
    .map(([name, value]) => `${name} ${valueText(value)}`)
    .join(", ")

/** Which values of the bar are other than they were, in a sentence. */
const revisedBarText = ({ after, before }: Pick<RevisedBar, "after" | "before">): string => {
  if (before === null) return `appeared: ${valuesText(after ?? {})}`
  if (after === null) return `vanished: ${valuesText(before)}`
  return Object.entries(after)
    .map(([name, value]) => `${name} ${valueText(before[name])} -> ${valueText(value)}`)
    .join(", ")
}

/** The bars, one a line, behind what else is to be told of each. */
export const revisedTable = <Bar extends RevisedBar>(
  bars: ReadonlyArray<Bar>,
  first: ReadonlyArray<ColumnOf<Bar>> = []
): string =>
  tableOf(bars, [
    ...first,
    ["revised bar", ({ eventTime }) => isoTime(eventTime)],
    ["source", ({ source }) => source],
    ["change", revisedBarText]
  ])
