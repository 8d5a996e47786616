/** Is it noticed when a bar changes in silence? */
import { assert, describe, it } from "vitest"
import { RowFlag } from "../../../protocol/frame/RowFlag.ts"
import * as Chunk from "../../../protocol/history/Chunk.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import type { StoredEntry } from "../../../runtime/simulated/SimulatedServer.ts"
import { conformed, flatBars } from "../../support/rows.ts"
import * as Market from "../Market.ts"
import { checkRevised } from "./checkRevised.ts"
import { recordWith, rootWritten } from "./samples.ts"

const { barMs } = Market
const bar = 4 * barMs
const range: Range = [0, 16 * barMs]
const restated = { bar, restatedAtMs: 0 }
const series = { nodeId: "sim:a", interval: "1m" }

/** A chunk with that price of the bar, marked or not. */
const chunkOf = (id: string, price: number, flags: number): StoredEntry => {
  const { bytes } = Chunk.encode(conformed(flatBars([4], [price]), { flags }).frame, {
    series,
    windowStart: 0,
    windowBars: 16,
    source: "exchange",
    ranges: RangeSet.of(...range),
    base: null,
    schemaVersion: 1
  })
  const subject = Subject.chunk(Subject.series(series.nodeId, series.interval), 0, id)
  return {
    stream: Stream.chunks.name,
    subject,
    revision: 1,
    previous: 0,
    form: "value",
    data: bytes,
    atMs: 0,
    by: "a1"
  }
}

const stored = [chunkOf("first", 10, 0), chunkOf("silent", 20, 0), chunkOf("marked", 20, RowFlag.revised)]
const pages = new Map(["first", "silent", "marked"].map((id) => [id, { atOrder: 0, chunkIds: [id] }]))

interface Says {
  readonly page: string
  readonly revised?: ReadonlyArray<Range>
  readonly covered?: ReadonlyArray<Range>
}

const problemsOf = (...says: ReadonlyArray<Says>) => {
  const roots = says.map(({ covered = [range], page, revised = [] }, index) =>
    rootWritten(index + 1, { version: index + 1, covered, pages: [page], diff: { revised } })
  )
  return checkRevised(recordWith({ roots, pages }), stored, restated)
}
const told: ReadonlyArray<Range> = [[bar, bar + barMs]]

describe("checkRevised()", () => {
  it("checkRevised() has nothing against a change that is marked and told, and keeps its mark", () => {
    assert.deepStrictEqual(problemsOf({ page: "first" }, { page: "marked", revised: told }, { page: "marked" }), [])
  })

  it("checkRevised() tells of a change that is not told, and of one that is told and was none", () => {
    assert.lengthOf(problemsOf({ page: "first" }, { page: "marked" }), 1)
    assert.lengthOf(problemsOf({ page: "first" }, { page: "first", revised: told }), 1)
  })

  it("checkRevised() tells of a change that is not marked, and of a mark that is lost", () => {
    assert.lengthOf(problemsOf({ page: "first" }, { page: "silent", revised: told }), 1)
    assert.lengthOf(problemsOf({ page: "marked" }, { page: "silent" }), 1)
  })

  it("checkRevised() has nothing against a bar that was taken out in between, or where none changes", () => {
    assert.deepStrictEqual(problemsOf({ page: "first" }, { page: "first", covered: [] }, { page: "silent" }), [])
    assert.deepStrictEqual(checkRevised(recordWith({ pages }), stored, undefined), [])
  })
})
