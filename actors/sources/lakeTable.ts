/**
 * How is a file read as a table?
 *
 * A Parquet file says it itself. A CSV file is read as text, by what its first line looks like.
 */
import { Effect } from "effect"
import { open } from "node:fs/promises"
import type { LakeSettings } from "../../protocol/SourceSettings.ts"
import type { RequestFailed } from "./DataSource.ts"
import { quoteText, unreadable } from "./Parquet.ts"

/** How a CSV file is written, by its first line. */
export interface CsvForm {
  readonly delimiter: string
  readonly names: ReadonlyArray<string>
}

/** What has to be known of a file to read it. */
export interface HowRead {
  readonly format: "csv" | "parquet"
  /** Of a CSV file; undefined where DuckDB finds out. */
  readonly csv: CsvForm | undefined
}

const headBytes = 65_536

/** Whether a path is not of this machine. */
export const isRemote = (path: string): boolean => /^[a-z0-9]+:\/\//i.test(path)

const unquoted = (name: string): string => name.trim().replace(/^"(.*)"$/, "$1")

/**
 * How the first line is written, which has the names unless they are given; undefined where it is no plain list. Then
 * DuckDB looks at more of the file, and takes a line that is cut off for another way of writing.
 */
const csvForm = (head: string, names: LakeSettings["header"]): CsvForm | undefined => {
  const [line = ""] = head.replace(/^\uFEFF/, "").split(/\r?\n/, 1)
  const counted = [",", ";", "\t", "|"].map((each) => [each, line.split(each).length] as const)
  const [delimiter, count] = counted.reduce((a, b) => (b[1] > a[1] ? b : a))
  const listed = names ?? line.split(delimiter).map(unquoted)
  const isPlain = listed.length === count && count > 1 && !listed.includes("")
  // DuckDB tells no upper case from lower case
  const isUnique = new Set(listed.map((name) => name.toLowerCase())).size === count
  return isPlain && isUnique ? { delimiter, names: listed } : undefined
}

const readHead = async (name: string): Promise<string> => {
  const file = await open(name)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0)
    return buffer.toString("utf8", 0, bytesRead)
  } finally {
    await file.close()
  }
}

/** How a CSV file is written; undefined where its first line does not show it. */
export const formOf = (
  name: string,
  names: LakeSettings["header"]
): Effect.Effect<CsvForm | undefined, RequestFailed> =>
  isRemote(name) || /\.(gz|zst)$/i.test(name)
    ? Effect.succeed(undefined)
    : Effect.tryPromise({
        try: async () => csvForm(await readHead(name), names),
        catch: (cause) => unreadable(`${name}: ${String(cause)}`, true)
      })

const csvOptions = (form: CsvForm | undefined, header: LakeSettings["header"]): string => {
  const hasHeader = `header = ${header === undefined}`
  if (form === undefined) {
    const names = header === undefined ? "" : `, names = [${header.map(quoteText).join(", ")}]`
    return `all_varchar = true, ${hasHeader}${names}`
  }
  const columns = form.names.map((name) => `${quoteText(name)}: 'VARCHAR'`).join(", ")
  const quoting = `delim = ${quoteText(form.delimiter)}, quote = '"', escape = '"'`
  return `auto_detect = false, ${hasHeader}, ${quoting}, columns = {${columns}}`
}

/** Rows of files as a table in SQL, with their file and their number in it from 1. */
export const tableSql = ({ csv, format }: HowRead, files: string, settings: LakeSettings): string => {
  if (format === "parquet") {
    const table = `read_parquet(${files}, filename = '__file', file_row_number = true)`
    return `(SELECT *, file_row_number + 1 AS __row FROM ${table})`
  }
  const how = `${csvOptions(csv, settings.header)}, filename = '__file'`
  // a file is read from top to bottom
  return `(SELECT *, row_number() OVER () AS __row FROM read_csv(${files}, ${how}))`
}
