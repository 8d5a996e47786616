/** What becomes of columns that have other types in different parts of an answer? */
import * as Category from "../../../protocol/frame/Category.ts"
import { type Column, missing } from "../../../protocol/frame/Column.ts"
import * as Frame from "../../../protocol/frame/Frame.ts"
import * as FrameJson from "../../../protocol/frame/FrameJson.ts"
import { floats } from "../../support/floatFrames.ts"

const int64s = (name: string, ...values: ReadonlyArray<bigint>): Column => ({
  name,
  type: "int64",
  values: BigInt64Array.from(values)
})

const partOf = (fromMs: number, columns: ReadonlyArray<Column>): Frame.Frame => ({
  eventTimeMs: Float64Array.of(fromMs, fromMs + 60_000),
  columns,
  flags: Uint32Array.of(1, 1),
  lineage: [{ rows: 2, source: "lake", ingestAtMs: 1_763_800_000_000, jobId: "0.1" }]
})

const first = partOf(60_000, [
  int64s("amount", 1n, missing.int64),
  int64s("large", 2n ** 53n + 1n, 7n),
  { name: "mixed", type: "bool", values: Uint8Array.of(1, missing.bool) },
  { name: "at", type: "timestamp", values: Float64Array.of(1_670_889_600_000, Number.NaN) },
  floats("silent", Number.NaN, Number.NaN),
  Category.fromTexts("early", ["XNYS", null])
])

const second = partOf(180_000, [
  floats("amount", 2.5, Number.NaN),
  floats("large", 0.5, Number.NaN),
  Category.fromTexts("mixed", ["unknown", null]),
  Category.fromTexts("at", ["noon", null]),
  int64s("silent", 4711n, missing.int64)
])

const json = (frame: Frame.Frame) => ({ columns: FrameJson.toJson(frame), types: FrameJson.typesOf(frame) })

/** The bodies of two parts, and their rows behind each other. */
export const typedParts = { parts: [first, second].map(json), joined: json(Frame.concat([first, second])) }
