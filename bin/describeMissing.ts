/** How is it told what an answer lacks? */
import type { MissingRange } from "../protocol/history/MissingRange.ts"
import { alignColumns, type TextColumn } from "./alignColumns.ts"
import type { Format } from "./flags.ts"
import { isoTime } from "./isoTime.ts"

const againText = (retryAt: number | null): string => (retryAt === null ? "" : isoTime(retryAt))

/** The reason, and what it rests on where that is told. */
export const reasonText = ({ evidence, reason }: Pick<MissingRange, "reason" | "evidence">): string =>
  evidence === undefined ? reason : `${reason} (${evidence})`

const missingTable = (missingRanges: ReadonlyArray<MissingRange>): string => {
  const column = (name: string, textOf: (range: MissingRange) => string): TextColumn => ({
    name,
    texts: missingRanges.map(textOf),
    side: "left"
  })
  return alignColumns([
    column("state", ({ state }) => state),
    column("start", ({ start }) => isoTime(start)),
    column("end", ({ end }) => isoTime(end)),
    column("ask again", ({ retryAt }) => againText(retryAt)),
    column("reason", reasonText)
  ])
}

/** The ranges, one a line with state and reason, or as one line of JSON. */
export const describeMissing = (missingRanges: ReadonlyArray<MissingRange>, format: Format): string =>
  format === "json" ? JSON.stringify({ missingRanges }) : missingTable(missingRanges)
