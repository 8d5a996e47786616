/**
 * How do bars look on a terminal?
 *
 * One line a bar, with its time, its values as they are (no digit is rounded away), its source and its flags by name.
 * When and by which job a row came is left to JSON: it would push the prices off the screen.
 */
import type { ColumnValues, HistoryFrame } from "../client/HistoryFrame.ts"
import { reservedColumns } from "../protocol/frame/DataSchema.ts"
import { rowFlagNames } from "../protocol/frame/RowFlag.ts"
import { alignColumns, type TextColumn } from "./alignColumns.ts"
import { isoTime } from "./isoTime.ts"

const left: ReadonlySet<string> = new Set([reservedColumns.eventTime, reservedColumns.source, reservedColumns.flags])
const leftOut: ReadonlySet<string> = new Set([reservedColumns.ingestAt, reservedColumns.jobId])

const flagText = (flags: number): string => rowFlagNames.filter((_, bit) => (flags >>> bit) & 1).join(",")

const missingText = "-"

const numberText = (value: number): string => (Number.isNaN(value) ? missingText : String(value))

const timeText = (timeMs: number): string => (Number.isNaN(timeMs) ? missingText : isoTime(timeMs))

const textsOf = (name: string, values: ColumnValues, type: string | undefined): ReadonlyArray<string> => {
  if (!(values instanceof Float64Array) && !(values instanceof Uint32Array)) {
    return values.map((value) => String(value ?? missingText))
  }
  if (name === reservedColumns.eventTime || type === "timestamp") return Array.from(values, timeText)
  return Array.from(values, name === reservedColumns.flags ? flagText : numberText)
}

const headingOf = (name: string): string => name.replace(/^__/, "")

const isLeft = (type: string | undefined): boolean => type === "category" || type === "timestamp"

/** The frame as text. */
export const historyTable = ({ columns, types }: HistoryFrame): string =>
  alignColumns(
    Object.entries(columns)
      .filter(([name]) => !leftOut.has(name))
      .map(([name, values]): TextColumn => ({
        name: headingOf(name),
        texts: textsOf(name, values, types[name]),
        side: left.has(name) || isLeft(types[name]) ? "left" : "right"
      }))
  )
