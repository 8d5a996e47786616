/** How do rows of text become a table that an eye can follow? */

/** One column: its heading, a text for each row, and the side its texts lean to. */
export interface TextColumn {
  readonly name: string
  readonly texts: ReadonlyArray<string>
  readonly side: "left" | "right"
}

const gap = "  "

const widthOf = ({ name, texts }: TextColumn): number =>
  texts.reduce((most, { length }) => Math.max(most, length), name.length)

const padded = (text: string, width: number, side: TextColumn["side"]): string =>
  side === "left" ? text.padEnd(width) : text.padStart(width)

/**
 * A line with the headings, and one line a row; columns are as wide as their widest text.
 *
 * @example
 * alignColumns([{ name: "a", texts: ["1", "10"], side: "right" }]) // => " a\n 1\n10"
 */
export const alignColumns = (columns: ReadonlyArray<TextColumn>): string => {
  const widths = columns.map(widthOf)
  const rows = columns.reduce((most, { texts }) => Math.max(most, texts.length), 0)
  const line = (textOf: (column: TextColumn) => string): string =>
    columns
      .map((column, at) => padded(textOf(column), widths[at]!, column.side))
      .join(gap)
      .trimEnd()
  const lines = Array.from({ length: rows }, (_, row) => line(({ texts }) => texts[row] ?? ""))
  return [line(({ name }) => name), ...lines].join("\n")
}
