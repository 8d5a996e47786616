/** How is it told to a person what differs between two versions? */
import type { BarChange } from "../protocol/history/BarChange.ts"
import type { HistoryDiff } from "../protocol/history/HistoryDiff.ts"
import { isoTime } from "./isoTime.ts"
import { tableOf } from "./tableOf.ts"

const absent = "-"

const text = (value: string | number | boolean | null | undefined): string =>
  value === null || value === undefined ? absent : String(value)

/** One column's part of a change: what it was, and what it is. */
const part = ({ after, before }: BarChange, name: string): string => {
  if (after !== null && before !== null) return `${name} ${text(before[name])} → ${text(after[name])}`
  return `${name} ${text((before ?? after)?.[name])}`
}

const namesOf = ({ after, before }: BarChange): ReadonlyArray<string> => Object.keys(after ?? before ?? {})

const kindOf = ({ after, before }: BarChange): string => {
  if (before === null) return "added"
  return after === null ? "removed" : "changed"
}

const pointText = ({ committedAt, version }: HistoryDiff["from"]): string =>
  version === 0 ? "version 0, before anything" : `version ${version} of ${isoTime(committedAt)}`

/** Every bar that differs, one a line. */
export const diffText = ({ changes, from, interval, nodeId, to, windows }: HistoryDiff): string => {
  const title = `${nodeId} ${interval}, from ${pointText(from)} to ${pointText(to)}`
  const looked = `windows that differ: ${windows.differing}; looked into: ${windows.looked}`
  if (changes.length === 0) return [title, looked, "", "no bar differs"].join("\n")
  const table = tableOf(changes, [
    ["bar", ({ eventTime }) => isoTime(eventTime)],
    ["is", kindOf],
    [
      "values",
      (change) =>
        namesOf(change)
          .map((name) => part(change, name))
          .join(", ")
    ]
  ])
  return [title, looked, "", table].join("\n")
}
