/**
 * How is a file read as a table?
 *
 * A Parquet file says it itself. A CSV file is read as text, by what its first line looks like.
 */
import { Effect } from "effect"
import { open } from "node:fs/promises"
import { constants, gunzipSync } from "node:zlib"
import type { LakeSettings } from "../../protocol/SourceSettings.ts"
import type { RequestFailed } from "./DataSource.ts"
import { dumpHeader } from "./dumpHeaders.ts"
import { quoteText, unreadable } from "./Parquet.ts"

/** How a CSV file is written, by its first line. */
export interface CsvForm {
  readonly delimiter: string
  readonly names: ReadonlyArray<string>
  /** Whether the first line has the names, and is no row. */
  readonly hasHeader: boolean
  readonly isCrLf: boolean
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
  const text = head.replace(/^\uFEFF/, "")
  const [line = ""] = text.split(/\r?\n/, 1)
  const counted = [",", ";", "\t", "|"].map((each) => [each, line.split(each).length] as const)
  const [delimiter, count] = counted.reduce((a, b) => (b[1] > a[1] ? b : a))
  const first = line.split(delimiter).map(unquoted)
  const given = names ?? dumpHeader(first)
  const listed = given ?? first
  const isPlain = listed.length === count && count > 1 && !listed.includes("")
  // DuckDB tells no upper case from lower case
  const isUnique = new Set(listed.map((name) => name.toLowerCase())).size === count
  const isCrLf = text[line.length] === "\r"
  return isPlain && isUnique ? { delimiter, names: listed, hasHeader: given === undefined, isCrLf } : undefined
}

const isGzip = (name: string): boolean => /\.gz$/i.test(name)

const readHead = async (name: string): Promise<string> => {
  const file = await open(name)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0)
    const bytes = buffer.subarray(0, bytesRead)
    // what is cut off of it is no fault: only the head is wanted
    return (isGzip(name) ? gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }) : bytes).toString("utf8")
  } finally {
    await file.close()
  }
}

/** Why a file is no CSV file at all, by its head. */
const noCsv = (head: string): string | undefined => {
  if (head.trim() === "") return "it is empty"
  if (head.startsWith("PK\u0003\u0004")) return "it is an archive or a workbook: unpack it, or save its sheet as CSV"
  return head.includes("\u0000") ? "it is no text in UTF-8, but perhaps in UTF-16: save it as UTF-8" : undefined
}

/** How a CSV file is written; undefined where its first line does not show it. */
export const formOf: (
  name: string,
  names: LakeSettings["header"]
) => Effect.Effect<CsvForm | undefined, RequestFailed> = Effect.fnUntraced(function* (name, names) {
  if (isRemote(name) || /\.zst$/i.test(name)) return undefined
  const head = yield* Effect.tryPromise({
    try: () => readHead(name),
    catch: (cause) => unreadable(`${name}: ${String(cause)}`, true)
  })
  const problem = noCsv(head)
  return problem === undefined ? csvForm(head, names) : yield* unreadable(`${name}: ${problem}`)
})

const csvOptions = (form: CsvForm | undefined, header: LakeSettings["header"]): string => {
  if (form === undefined) {
    const names = header === undefined ? "" : `, names = [${header.map(quoteText).join(", ")}]`
    return `all_varchar = true, header = ${header === undefined}${names}`
  }
  const columns = form.names.map((name) => `${quoteText(name)}: 'VARCHAR'`).join(", ")
  const newLine = `new_line = '${form.isCrLf ? "\\r\\n" : "\\n"}'`
  const quoting = `delim = ${quoteText(form.delimiter)}, quote = '"', escape = '"'`
  return `auto_detect = false, header = ${form.hasHeader}, ${newLine}, ${quoting}, columns = {${columns}}`
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
