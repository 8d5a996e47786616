/** What was asked of the exchange, and what came of it: one JSON line a request? */
import { openSync, writeSync } from "node:fs"
import type { Outcome } from "./Faults.ts"
import { UsageError } from "./UsageError.ts"

/** One request and its outcome. A number that was sent malformed stays the text that was sent. */
export interface LogEntry {
  readonly at: number
  readonly path: string
  readonly symbol: string | null
  readonly interval: string | null
  readonly startTime: number | string | null
  readonly endTime: number | string | null
  readonly fromId: number | string | null
  readonly limit: number | string | null
  /** Null when no answer is ever sent. */
  readonly status: number | null
  /** Rows sent; null when the answer is not a page of klines or trades. */
  readonly rows: number | null
  readonly fault: Outcome["fault"]
}

/** Writes one entry. */
export type RequestLog = (entry: LogEntry) => void

/** The entry of one request. */
export const logEntry = (at: number, url: URL, { answer, fault }: Outcome): LogEntry => {
  const text = (name: string): string | null => url.searchParams.get(name)
  const number = (name: string): number | string | null =>
    /^\d{1,15}$/.test(text(name) ?? "") ? Number(text(name)) : text(name)
  return {
    at,
    path: url.pathname,
    symbol: text("symbol"),
    interval: text("interval"),
    startTime: number("startTime"),
    endTime: number("endTime"),
    fromId: number("fromId"),
    limit: number("limit"),
    status: answer?.status ?? null,
    rows: answer?.rows?.length ?? null,
    fault
  }
}

/** Appends to a file, each line whole before its answer is sent. Fails with a `UsageError` if it cannot open it. */
export const openRequestLog = (file: string): RequestLog => {
  try {
    const descriptor = openSync(file, "a")
    return (entry) => void writeSync(descriptor, `${JSON.stringify(entry)}\n`)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new UsageError(`--log: cannot append to ${file} (${why}); give a file in a folder that exists`, { cause })
  }
}
