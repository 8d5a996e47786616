/**
 * How does a test get many readers of one range, in a process of their own?
 *
 * Run as a program, this file connects one client, reads the range as often at once as it is told, and prints what the
 * readers got. What they got is all that it ever says.
 */
import { Effect } from "effect"
import process from "node:process"
import { connect } from "../../client/connect.ts"
import type { HistoryResult } from "../../client/HistoryResult.ts"
import type { ReadOptions } from "../../client/requestBody.ts"
import { SeamlessError } from "../../client/SeamlessError.ts"
import type { Range } from "../../protocol/history/Range.ts"
import * as ReadyProcess from "../support/ReadyProcess.ts"

/** Who reads what, and how. */
export interface Reading {
  readonly servers: string
  readonly node: string
  readonly interval: string
  /** What the readers want, one after the other, and from the beginning again where there are more readers. */
  readonly ranges: ReadonlyArray<Range>
  readonly options: ReadOptions
  readonly readers: number
}

/** What one reader got: the parts of the account that tests look at, or the error. */
export type Got =
  | {
      readonly fingerprint: string
      readonly rows: number
      readonly missing: number
      readonly violation: string | null
      readonly source: HistoryResult["meta"]["sourceOutcomes"][string] | undefined
    }
  | { readonly tag: string; readonly code: number; readonly source: unknown }

const gotOf = ({ meta }: HistoryResult): Got => ({
  fingerprint: meta.fingerprint,
  rows: meta.qualitySummary.rows,
  missing: meta.missingRanges.length,
  violation: meta.slaReport.violation?.phase ?? null,
  source: meta.sourceOutcomes["binance"]
})

const refusedOf = (cause: unknown): Got => {
  if (!(cause instanceof SeamlessError)) throw cause
  const { code, fields, tag } = cause
  return { tag, code, source: fields["source"] }
}

const readAll = async ({ interval, node, options, ranges, readers, servers }: Reading): Promise<ReadonlyArray<Got>> => {
  await using client = await connect({ servers })
  const read = (range: Range) =>
    client.read(node, interval, ...range, { ...options, returnMeta: true }).then(gotOf, refusedOf)
  return await Promise.all(Array.from({ length: readers }, (_, reader) => read(ranges[reader % ranges.length]!)))
}

/** What the readers of one process got. */
export const manyReaders = Effect.fnUntraced(function* (reading: Reading) {
  const { line } = yield* ReadyProcess.start({ program: import.meta.filename, args: [JSON.stringify(reading)] })
  const got: ReadonlyArray<Got> = JSON.parse(line)
  return got
}, Effect.scoped)

if (import.meta.main) process.stdout.write(`${JSON.stringify(await readAll(JSON.parse(process.argv[2]!)))}\n`)
