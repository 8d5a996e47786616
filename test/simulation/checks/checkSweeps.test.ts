/** Is it noticed when something is deleted that is named, or left that nothing names? */
import { assert, describe, it } from "vitest"
import * as Codec from "../../../protocol/wire/Codec.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import { keySubject } from "../../../protocol/wire/StreamSpec.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import type { RemovedEntry, StoredEntry } from "../../../runtime/simulated/SimulatedServer.ts"
import { epochMs } from "../SimulatedProcess.ts"
import { checkSweeps, skewOf } from "./checkSweeps.ts"

const key = "series"
const endMs = 60_000

const stored = (
  stream: string,
  subject: string,
  at: { atMs: number; revision: number },
  value: unknown
): StoredEntry => ({
  stream,
  subject,
  ...at,
  previous: 0,
  form: "value",
  data: Codec.toJson(value),
  by: "a1"
})

/** A chunk of that sequence. */
const chunk = (id: string, revision: number, atMs = revision) =>
  stored(Stream.chunks.name, Subject.chunk(key, 0, id), { revision, atMs }, {})
const page = (id: string, atMs: number, ...chunks: ReadonlyArray<string>) =>
  stored(
    Stream.pages.name,
    Subject.page(key, id),
    { revision: atMs, atMs },
    { windows: [{ chunks: chunks.map((each) => ({ id: each })) }] }
  )
const root = (version: number, atMs: number, ...pages: ReadonlyArray<string>) => ({
  version,
  committedAt: epochMs + atMs,
  pages: pages.map((id) => ({ id }))
})
/** A root that stands, and is in the log at once. */
const commit = (version: number, atMs: number, ...pages: ReadonlyArray<string>) => [
  stored(
    Stream.coverage.name,
    keySubject(Stream.coverage, key),
    { revision: version, atMs },
    {
      state: root(version, atMs, ...pages)
    }
  ),
  stored(Stream.audit.name, Subject.audit(key), { revision: version, atMs }, root(version, atMs, ...pages))
]

/** Two versions, of which the later one has another chunk and another page. */
const history = [
  chunk("c1", 1),
  page("p1", 2, "c1"),
  ...commit(1, 3, "p1"),
  chunk("c2", 4),
  page("p2", 5, "c2"),
  ...commit(2, 6, "p2")
]

const removed = (stream: string, subject: string, revision: number, atMs: number): RemovedEntry => ({
  stream,
  subject,
  revision,
  atMs
})
const withoutChunk = (id: string, revision: number, atMs: number) =>
  removed(Stream.chunks.name, Subject.chunk(key, 0, id), revision, atMs)
const withoutPage = (id: string, revision: number, atMs: number) =>
  removed(Stream.pages.name, Subject.page(key, id), revision, atMs)
const withoutRoot = (revision: number, atMs: number) => removed(Stream.audit.name, Subject.audit(key), revision, atMs)

const problemsOf = (
  entries: ReadonlyArray<StoredEntry>,
  deletions: ReadonlyArray<RemovedEntry>,
  { rootsMs = Infinity, faults = [] as ReadonlyArray<string> } = {}
) =>
  checkSweeps({
    stored: entries,
    removed: deletions,
    faults: faults.map((kind) => ({ atMs: 0, kind, target: "clock" })),
    retention: { rootsMs, sweepEveryMs: 3000, orders: [] },
    endMs
  })

describe("checkSweeps()", () => {
  it("checkSweeps() has nothing against what is kept, nor against a root that goes before what it names", () => {
    assert.deepStrictEqual(problemsOf(history, []), [])
    const deletions = [withoutRoot(1, 40_000), withoutChunk("c1", 1, 40_001), withoutPage("p1", 2, 40_002)]
    assert.deepStrictEqual(problemsOf(history, deletions, { rootsMs: 12_000 }), [])
  })

  it("checkSweeps() tells of what a root of the past names, and of what the root names that stands", () => {
    assert.lengthOf(
      problemsOf(history, [withoutChunk("c1", 1, 40_000), withoutRoot(1, 41_000), withoutPage("p1", 2, 41_001)]),
      1
    )
    const [deleted, lacking] = problemsOf(history, [withoutPage("p2", 5, 40_000)])
    assert.include(deleted, "which a root names that is kept")
    assert.include(lacking, "version 2 of")
  })

  it("checkSweeps() tells of a root that names what was deleted before", () => {
    const late = [chunk("c1", 1), page("p1", 2, "c1"), ...commit(1, 30_000, "p1")]
    assert.include(problemsOf(late, [withoutChunk("c1", 1, 25_000)])[0], "names chunk c1, which is not there")
  })

  it("checkSweeps() has nothing against an older sequence of what was put afresh", () => {
    const afresh = [...history, chunk("c2", 9)]
    assert.deepStrictEqual(problemsOf(afresh, [withoutChunk("c2", 4, 40_000)]), [])
  })

  it("checkSweeps() tells of what is left that no root names, once it is old", () => {
    assert.lengthOf(problemsOf([...history, chunk("stray", 9)], []), 1)
    assert.deepStrictEqual(problemsOf([...history, chunk("stray", 9, 30_000)], []), [])
    const faults = ["clock set by -60000 ms"]
    assert.deepStrictEqual(problemsOf([...history, chunk("stray", 9)], [], { faults }), [])
  })

  it("checkSweeps() tells of roots that are left and do not count any more", () => {
    assert.lengthOf(problemsOf(history, [], { rootsMs: 12_000 }), 1)
    assert.deepStrictEqual(problemsOf(history, [], { rootsMs: 50_000 }), [])
  })
})

describe("skewOf()", () => {
  it("skewOf() adds up by how much clocks were set", () => {
    const fault = (kind: string) => ({ atMs: 0, kind, target: "clock" })
    assert.strictEqual(skewOf([fault("clock set by -300 ms"), fault("crash"), fault("clock set by 20 ms")]), 320)
  })
})
