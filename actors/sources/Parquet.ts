/**
 * How are Parquet and CSV files read?
 *
 * By DuckDB within this process, which is loaded by the first question. It gets little memory and few threads, and
 * spills to the folder for temporary files what does not fit. A question is SQL with bound values; names of columns
 * and files that it holds as text are quoted here.
 */
import type { DuckDBConnection, DuckDBInstance, DuckDBType, DuckDBValue } from "@duckdb/node-api"
import { Effect } from "effect"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { BucketSettings } from "../../protocol/LakeSettings.ts"
import { RequestFailed } from "./DataSource.ts"
import { shortReason } from "./ExchangeHttp.ts"

/** One value of an answer: a question asks for numbers as DOUBLE and for all else as VARCHAR. */
export type Cell = number | string | null

/** An answer by column. */
export type Table = Readonly<Record<string, ReadonlyArray<Cell>>>

/** SQL with named parameters: `$name`. A list is a list of texts. */
export interface Query {
  readonly sql: string
  readonly values?: Readonly<Record<string, Cell | ReadonlyArray<string>>>
}

/** Where files are, when not on this machine, with the keys that open it. */
interface Bucket {
  readonly settings: BucketSettings
  readonly keyId: string
  readonly secret: string
}

/** Whoever reads files. */
export interface FileReader {
  readonly ask: (query: Query) => Effect.Effect<Table, RequestFailed>
}

// what sorting a day of busy trades takes; more is spilled
const memoryLimit = "512MB"
const spillLimit = "8GB"
const threads = "2"

// a reason of files has their paths in it, and ends with what would be right
const reasonLengthMax = 600

// what DuckDB advises are options of its own, which nobody here can set
const noAdvice = /\s*Possible fixes:[^]*$/
const noCsv = /The CSV Parser state machine reached an invalid state[^]*$/

/** An identifier in SQL. */
export const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** Text in SQL. */
export const quoteText = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** The request can't be answered, now or for good. */
export const unreadable = (reason: string, retryable = false): RequestFailed =>
  new RequestFailed({ reason: shortReason(reason, reasonLengthMax), retryable, retryAfterMs: null })

// of the kinds that DuckDB's messages begin with, those of the world outside: what it says of contents stays as it is
const passing = /^(IO Error|HTTP Error|Connection Error|Interrupt Error|INTERRUPT Error|Out of Memory Error)/

const failureOf = (cause: unknown, secrets: ReadonlyArray<string>): RequestFailed => {
  const told = cause instanceof Error ? cause.message : String(cause)
  const [line = ""] = secrets.reduce((line, secret) => line.replaceAll(secret, "…"), told).split("\n\nLINE ", 1)
  const text = line
    .replace(noAdvice, "")
    .replace(noCsv, "it is no plain CSV: quotes are not closed, or lines do not all end alike")
  return unreadable(text, passing.test(text))
}

// each has a folder of its own to spill to: one that ends takes its folder along
let instances = 0

const startDuckDb = async (): Promise<DuckDBInstance> => {
  const started = instances++
  const { DuckDBInstance } = await import("@duckdb/node-api")
  const instance = await DuckDBInstance.create(":memory:", {
    threads,
    memory_limit: memoryLimit,
    temp_directory: join(tmpdir(), `seamless-lake-${process.pid}-${started}`),
    max_temp_directory_size: spillLimit,
    autoinstall_known_extensions: "false",
    allow_community_extensions: "false"
  })
  const connection = await instance.connect()
  await connection.run("SET GLOBAL TimeZone = 'UTC'")
  connection.closeSync()
  return instance
}

/** Starts at the first call; where that fails, the next one tries again. */
const startedOnce = (start: () => Promise<DuckDBInstance>): (() => Promise<DuckDBInstance>) => {
  let started: Promise<DuckDBInstance> | undefined
  return () => {
    started ??= start()
    started.catch(() => void (started = undefined))
    return started
  }
}

// the one of this process, for files that need no keys: its memory is bounded once, however many sources there are
const sharedInstance = startedOnce(startDuckDb)

const secretSql = ({ keyId, secret, settings }: Bucket): string => {
  const { endpoint, region, tls = true, urlStyle } = settings
  const parts = [
    "TYPE s3",
    ...(keyId === "" ? [] : [`KEY_ID ${quoteText(keyId)}`, `SECRET ${quoteText(secret)}`]),
    ...(endpoint === undefined ? [] : [`ENDPOINT ${quoteText(endpoint)}`]),
    ...(region === undefined ? [] : [`REGION ${quoteText(region)}`]),
    ...(urlStyle === undefined ? [] : [`URL_STYLE ${quoteText(urlStyle)}`]),
    `USE_SSL ${tls}`
  ]
  return `CREATE OR REPLACE SECRET lake (${parts.join(", ")})`
}

const openBucket = async (bucket: Bucket): Promise<DuckDBInstance> => {
  const instance = await startDuckDb()
  const connection = await instance.connect()
  try {
    // not part of the package: it is fetched once and kept in the user's folder
    await connection.run("LOAD httpfs").catch(async () => {
      await connection.run("INSTALL httpfs")
      await connection.run("LOAD httpfs")
    })
    await connection.run(secretSql(bucket))
    return instance
  } finally {
    connection.closeSync()
  }
}

/** What is neither was not asked for as it has to be. */
const cellOf = (value: unknown): Cell => (typeof value === "number" || typeof value === "string" ? value : null)

const run = async (connection: DuckDBConnection, { sql, values = {} }: Query): Promise<Table> => {
  const { LIST, VARCHAR, listValue } = await import("@duckdb/node-api")
  const bound: Record<string, DuckDBValue> = {}
  const types: Record<string, DuckDBType> = {}
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === "object" && value !== null) types[name] = LIST(VARCHAR)
    bound[name] = typeof value === "object" && value !== null ? listValue(value) : value
  }
  const reader = await connection.runAndReadAll(sql, bound, types)
  const columns = Object.entries(reader.getColumnsObjectJS())
  return Object.fromEntries(columns.map(([name, cells]) => [name, cells.map(cellOf)]))
}

const askOf =
  (open: () => Promise<DuckDBInstance>, secrets: ReadonlyArray<string>): FileReader["ask"] =>
  (query) =>
    Effect.tryPromise({
      try: async (signal) => {
        const connection = await (await open()).connect()
        const stop = (): void => connection.interrupt()
        signal.addEventListener("abort", stop)
        try {
          return await run(connection, query)
        } finally {
          signal.removeEventListener("abort", stop)
          connection.closeSync()
        }
      },
      catch: (cause) => failureOf(cause, secrets)
    })

/** Reads files of this machine. */
export const localFiles: FileReader = { ask: askOf(sharedInstance, []) }

const variable = (name: string | undefined): string => (name === undefined ? "" : (process.env[name] ?? ""))

/** Reads files of a bucket, with the keys that the environment holds. They are in no message. */
export const bucketFiles = (settings: BucketSettings): FileReader => {
  const names = [settings.keyIdVariable, settings.secretVariable].filter((name) => name !== undefined)
  const unset = names.find((name) => variable(name) === "")
  if (unset !== undefined) {
    return { ask: () => Effect.fail(unreadable(`the environment variable ${unset} is not set: it holds a key`)) }
  }
  const bucket = { settings, keyId: variable(settings.keyIdVariable), secret: variable(settings.secretVariable) }
  const secrets = [bucket.secret, bucket.keyId].filter((key) => key !== "")
  return {
    ask: askOf(
      startedOnce(() => openBucket(bucket)),
      secrets
    )
  }
}
