/** How do records become a table? */
import { alignColumns } from "./alignColumns.ts"

/** A column: its heading, what it shows of a row, and the side its texts lean to; left where it says nothing. */
export type ColumnOf<Row> = readonly [name: string, textOf: (row: Row) => string, side?: "left" | "right"]

/** The rows as text, one a line. */
export const tableOf = <Row>(rows: ReadonlyArray<Row>, columns: ReadonlyArray<ColumnOf<Row>>): string =>
  alignColumns(columns.map(([name, textOf, side = "left"]) => ({ name, texts: rows.map(textOf), side })))

/** What stands where there is nothing to show. */
export const absent = "-"

/** The text, or that there is none. */
export const orAbsent = (text: string): string => (text === "" ? absent : text)

/** The number as it is, or that it is not known. */
export const numberText = (value: number | undefined): string => (value === undefined ? absent : String(value))
