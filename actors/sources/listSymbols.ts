/** Which symbols do the files of a lake name in a column? */
import { Effect } from "effect"
import type { LakeSettings } from "../../protocol/SourceSettings.ts"
import { tableSql } from "./lakeTable.ts"
import type { FileFacts } from "./learnFile.ts"
import { type FileReader, quoteName, quoteText, unreadable } from "./Parquet.ts"

/** As many are told apart of one file. */
const symbolsMax = 10_000

/** The symbols, by asking file after file until one has the symbol that is wanted. */
export const listSymbols = Effect.fnUntraced(function* (
  reader: FileReader,
  settings: LakeSettings,
  files: ReadonlyArray<FileFacts>,
  wanted?: string
) {
  const there = new Set<string>()
  for (const { file, layout } of files) {
    const column = layout.roles.symbol
    if (column === undefined) return yield* unreadable(`${file.name} has no column of the symbol, which others have`)
    const name = quoteName(column.name)
    const table = tableSql(layout, `[${quoteText(file.name)}]`, settings)
    const { symbol = [] } = yield* reader.ask({
      sql:
        `SELECT DISTINCT CAST(${name} AS VARCHAR) AS symbol FROM ${table} WHERE ${name} IS NOT NULL ` +
        `ORDER BY symbol LIMIT ${symbolsMax}`
    })
    for (const each of symbol) there.add(String(each))
    if (wanted !== undefined && there.has(wanted)) break
  }
  return Array.from(there)
})
