/** Does what was stored reach the checks as what it is? */
import { Schema } from "effect"
import { assert, describe, it } from "vitest"
import { BackfillJob } from "../../protocol/history/BackfillJob.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import * as Codec from "../../protocol/wire/Codec.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import { keySubject } from "../../protocol/wire/StreamSpec.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import * as Token from "../../protocol/wire/Token.ts"
import type { StoredEntry } from "../../runtime/simulated/SimulatedServer.ts"
import { jobWritten } from "./checks/samples.ts"
import { History } from "./History.ts"
import { ofInterval, recordOf } from "./RunRecord.ts"

interface Stores {
  readonly stream: string
  readonly subject: string
  readonly value?: unknown
  readonly form?: StoredEntry["form"]
}

/** The record of a run in which these were stored one after the other. */
const recordWhere = (...stored: ReadonlyArray<Stores>) => {
  const history = new History(() => 0, false)
  for (const [index, { form = "value", stream, subject, value = null }] of stored.entries()) {
    const data = Codec.toJson(value)
    history.stored.push({ stream, subject, form, data, revision: index + 1, previous: 0, atMs: index * 10, by: "a1" })
  }
  history.pages.push({ host: "a1", series: 1, startMs: 0, endMs: 60, atMs: 5, outcome: "open" })
  return recordOf(history, ["sim:a", "sim:b"])
}

const { job } = jobWritten(1, { completedRanges: RangeSet.of(0, 60) })
const encodeJob = Schema.encodeSync(BackfillJob)
const owned = { owner: "one", epoch: 1, slotEpoch: 2 }
const seriesKey = `${Token.encode("sim:b")}.1m`
const page = { windows: [{ chunks: [{ id: "c1" }] }, { chunks: [{ id: "c2" }] }] }

describe("recordOf()", () => {
  it("recordOf() takes apart slots, actors, roots and jobs, each with its place", () => {
    const root = { version: 3, covered: [[0, 60]], pages: [] }
    const subject = keySubject(Stream.coverage, seriesKey)
    const run = recordWhere(
      { stream: Stream.slots.name, subject: keySubject(Stream.slots, "7"), value: { owner: "one", slotEpoch: 2 } },
      { stream: Stream.actors.name, subject: keySubject(Stream.actors, "k"), value: { ...owned, state: 1 } },
      { stream: Stream.coverage.name, subject, value: { ...owned, state: root } },
      { stream: Stream.jobs.name, subject: keySubject(Stream.jobs, "w"), value: encodeJob(job) }
    )
    assert.deepInclude(run.slots[0], { revision: 1, atMs: 0, atOrder: 0, record: { owner: "one", slotEpoch: 2 } })
    assert.deepInclude(run.registers[0], { revision: 2, atMs: 10, atOrder: 1 })
    assert.deepInclude(run.registers[0]?.record, owned)
    assert.deepInclude(run.roots[0], { subject, revision: 3, atOrder: 2, node: "sim:b" })
    assert.deepEqual<unknown>(run.roots[0]?.root, root)
    assert.deepInclude(run.coverage[0]?.record, owned)
    assert.deepInclude(run.jobs[0], { revision: 4, atOrder: 3 })
    assert.deepStrictEqual(run.jobs[0]?.job, job)
  })

  it("recordOf() knows chunks and pages by id, from when they were stored first", () => {
    const chunk = { stream: Stream.chunks.name, subject: Subject.chunk(seriesKey, 0, "c1") }
    const stored = { stream: Stream.pages.name, subject: Subject.page(seriesKey, "p1"), value: page }
    const run = recordWhere(chunk, stored, chunk, stored)
    assert.deepStrictEqual(run.chunks, new Map([["c1", 0]]))
    assert.deepStrictEqual(run.pages, new Map([["p1", { atOrder: 1, chunkIds: ["c1", "c2"] }]]))
  })

  it("recordOf() knows audited versions, whose incarnations there were, and of which series pages were asked", () => {
    const run = recordWhere(
      { stream: Stream.audit.name, subject: Subject.audit(seriesKey), value: { version: 4 } },
      { stream: Stream.sessions.name, subject: keySubject(Stream.sessions, "one"), value: {} }
    )
    assert.deepInclude(run.audited[0], { subject: Subject.audit(seriesKey), revision: 1, version: 4 })
    assert.deepStrictEqual(run.processes, new Map([["one", "a1"]]))
    assert.deepStrictEqual(run.joinedAtMs, new Map([["one", 10]]))
    assert.deepInclude(run.pagesAsked[0], { host: "a1", node: "sim:b", startMs: 0, endMs: 60, atMs: 5 })
  })

  it("recordOf() leaves out removals and markers, which count in the order all the same", () => {
    const slot = { stream: Stream.slots.name, subject: keySubject(Stream.slots, "7"), value: owned }
    const run = recordWhere({ ...slot, form: "removed" }, { ...slot, form: "marker" }, slot)
    assert.deepStrictEqual(
      run.slots.map(({ atOrder }) => atOrder),
      [2]
    )
  })
})

describe("ofInterval()", () => {
  it("ofInterval() tells the series of a node apart by their intervals", () => {
    const roots = ["1m", "5m"].map((interval) => ({
      stream: Stream.coverage.name,
      subject: keySubject(Stream.coverage, `${Token.encode("sim:b")}.${interval}`),
      value: { ...owned, state: { version: 1, covered: [], pages: [] } }
    }))
    const jobs = ["1m", "5m"].map((interval) => ({
      stream: Stream.jobs.name,
      subject: keySubject(Stream.jobs, interval),
      value: encodeJob({ ...job, series: { ...job.series, interval } })
    }))
    const run = ofInterval(recordWhere(...roots, ...jobs), "5m")
    assert.deepStrictEqual(
      [
        run.roots.map(({ interval }) => interval),
        run.jobs.map((each) => each.job.series.interval),
        run.coverage.length
      ],
      [["5m"], ["5m"], 2]
    )
  })
})
