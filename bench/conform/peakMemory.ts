/**
 * How much memory does conforming take at its peak?
 *
 * Runs in a process of its own, which does nothing else: from the size in memory before to the largest that the
 * operating system has seen since (Linux can be told to forget the largest before) is what conforming has added,
 * whatever of it was garbage.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { Option, Result } from "effect"
import { conform } from "../../actors/conformance/conform.ts"
import { ohlcv } from "../../protocol/frame/DataSchema.ts"
import * as Interval from "../../protocol/history/Interval.ts"
import { cleanRows, dirtyRows } from "./marketRows.ts"

const forgetPeak = (): void => writeFileSync("/proc/self/clear_refs", "5")

const peakBytes = (): number => Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) * 1024

const [kind = "clean", count = "1000000"] = process.argv.slice(2)
const interval = Option.getOrThrow(Interval.parse("1m"))
const options = { schema: ohlcv, interval, source: "bench", ingestAtMs: 0, jobId: "", flags: 1 }

// compiled before it is measured
Result.getOrThrow(conform(dirtyRows(cleanRows(2_000)), options))
const rows = kind === "clean" ? cleanRows(Number(count)) : dirtyRows(cleanRows(Number(count)))
const inputBytes = rows.eventTime.byteLength * (1 + rows.columns.length)
globalThis.gc?.()
forgetPeak()
const beforeBytes = process.memoryUsage.rss()
const { frame } = Result.getOrThrow(conform(rows, options))
const grownBytes = peakBytes() - beforeBytes
console.log(JSON.stringify({ inputBytes, grownBytes, rows: frame.eventTimeMs.length }))
