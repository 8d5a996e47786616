/** Which rows have a column of each type, with the extremes of each and a missing value? */
import * as Category from "../../protocol/frame/Category.ts"
import { missing } from "../../protocol/frame/Column.ts"
import type { Frame } from "../../protocol/frame/Frame.ts"
import { floats } from "./floatFrames.ts"

/** Three minutes of 1970. */
export const typedFrame: Frame = {
  eventTimeMs: Float64Array.of(60_000, 120_000, 180_000),
  columns: [
    floats("close", 1.5, 2.5, Number.NaN),
    { name: "trades", type: "int64", values: BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n) + 1n, missing.int64) },
    { name: "halted", type: "bool", values: Uint8Array.of(1, 0, missing.bool) },
    Category.fromTexts("venue", ["XNYS", 'Börse "Nord"', null]),
    { name: "settledAt", type: "timestamp", values: Float64Array.of(-1, 1_670_889_600_000, Number.NaN) }
  ],
  flags: Uint32Array.of(1, 17, 1),
  lineage: [{ rows: 3, source: "lake", ingestAtMs: 1_763_800_000_000, jobId: "0.1" }]
}
