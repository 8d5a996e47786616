/** Does a reader get exactly what is on record, however it was filled and in whichever form it comes? */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { float64 } from "../../protocol/frame/Column.ts"
import { fromJson, type JsonColumns } from "../../protocol/frame/FrameJson.ts"
import type { Frame } from "../../protocol/frame/Frame.ts"
import type { Range } from "../../protocol/history/Range.ts"
import { defaults } from "../../protocol/Settings.ts"
import { Header } from "../../protocol/wire/Header.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import type { HistoryMeta } from "../../client/HistoryResult.ts"
import * as BarFile from "../support/BarFile.ts"
import * as Cluster from "../support/ClusterHarness.ts"
import { floatColumns } from "../support/floatFrames.ts"
import { seededOrder } from "../support/seededOrder.ts"

const patient = { strategy: "auto_backfill", sla: { totalDeadlineMs: 60_000 } } as const

const isSame = (a: ArrayLike<number>, b: ArrayLike<number>): boolean =>
  a.length === b.length && Array.from(a).every((value, row) => Object.is(value, b[row]))

/** The columns of the file that differ from those of the answer, by name; empty where every bit is the same. */
const differing = (frame: Frame, got: (name: string) => ArrayLike<number> | undefined): ReadonlyArray<string> =>
  [float64("event_time", frame.eventTimeMs), ...floatColumns(frame)]
    .filter(({ name, values }) => !isSame(values, got(name) ?? []))
    .map(({ name }) => name)

const columnOf = (frame: Frame) => (name: string) =>
  name === "event_time" ? frame.eventTimeMs : floatColumns(frame).find((column) => column.name === name)?.values

const openBars = ({ open }: BarFile.Recording) => open.map(([start, end]) => (end - start) / 60_000)

const checkMeta = (meta: HistoryMeta, { covered, fingerprint, frame, open }: BarFile.Recording): void => {
  assert.deepStrictEqual(meta.coverageRanges, covered)
  const missing = meta.missingRanges.map(({ end, start }): Range => [start, end])
  assert.deepStrictEqual(missing, open)
  for (const { reason, retryAt, state } of meta.missingRanges) {
    assert.strictEqual(state, "deferred")
    assert.match(reason, /binance gave no bar, and that proves nothing here/)
    assert.isAbove(retryAt ?? 0, Date.now())
  }
  assert.strictEqual(meta.qualitySummary.rows, frame.eventTimeMs.length)
  assert.strictEqual(meta.fingerprint, fingerprint)
}

const readJson = Effect.fnUntraced(function* (servers: string, { interval, node }: BarFile.BarFile, range: object) {
  const nc = yield* Cluster.startConnection(servers)
  const body = JSON.stringify({ nodeId: node, interval, ...range, ...patient })
  const reply = yield* Effect.promise(() => nc.request(Subject.service.read, body, { timeout: 61_000 }))
  assert.isFalse(reply.headers?.has(Header.error) ?? false)
  return reply.json<{ readonly columns: JsonColumns; readonly meta: HistoryMeta }>()
})

describe("read() of each file that is on record", () => {
  it.live("gives the file's values bit for bit, over JSON and over Arrow, and tells holes from quiet minutes", () =>
    Effect.gen(function* () {
      const files = Object.values(BarFile.barFiles)
      const { client, klines, servers } = yield* Cluster.start({ files })
      for (const file of files) {
        const record = BarFile.read(file)
        const [start, end] = record.range
        // cold over JSON, then from memory over Arrow
        const json = yield* readJson(servers, file, { start, end })
        assert.deepStrictEqual(differing(record.frame, columnOf(fromJson(json.columns))), [], `${file.path} in JSON`)
        checkMeta(json.meta, record)
        const asked = klines().length
        const { df, meta } = yield* Cluster.readFile(client, file, record.range, patient)
        assert.deepStrictEqual(
          differing(record.frame, (name) => Cluster.numbersOf(df, name)),
          [],
          `${file.path} in Arrow`
        )
        checkMeta(meta, record)
        assert.strictEqual(klines().length, asked, `${file.path} was asked for again`)
      }
    })
  )

  it("the files hold what this is about: an outage, nights without a session, and a quiet market without a hole", () => {
    const { outage, quiet, sessions } = BarFile.barFiles
    assert.lengthOf(openBars(BarFile.read(outage)), 1)
    assert.isAtLeast(openBars(BarFile.read(sessions)).length, 4)
    assert.deepStrictEqual(openBars(BarFile.read(quiet)), [])
    for (const file of [outage, sessions]) {
      assert.isAbove(Math.min(...openBars(BarFile.read(file))), defaults.maxEmptyBars)
    }
  })
})

describe("fingerprint", () => {
  const file = BarFile.barFiles.quiet
  const record = BarFile.read(file)
  const dayMs = 86_400_000

  /** The range in parts of a grid, in an order that the seed decides. */
  const parts = (partMs: number, seed?: number): ReadonlyArray<Range> => {
    const [start, end] = record.range
    const first = Math.floor(start / partMs)
    const count = Math.ceil(end / partMs) - first
    const order = seed === undefined ? Array.from({ length: count }, (_, part) => part) : seededOrder(count, seed)
    return order.map((part) => {
      const partStart = (first + part) * partMs
      return [Math.max(start, partStart), Math.min(end, partStart + partMs)]
    })
  }

  const cases: ReadonlyArray<readonly [how: string, hostIds: ReadonlyArray<string>, fills: ReadonlyArray<Range>]> = [
    ["window by window, in order", ["a"], parts(dayMs)],
    ["window by window, in another order", ["a"], parts(dayMs, 7)],
    ["in parts that keep to no window, in any order", ["a"], parts(7 * 3_600_000 + 60_000, 11)],
    ["all at once by two hosts", ["a", "b"], [record.range]],
    ["window by window by two hosts, in another order", ["a", "b"], parts(dayMs, 13)]
  ]

  for (const [how, hostIds, fills] of cases) {
    it.live(`is that of the file after a fill ${how}`, () =>
      Effect.gen(function* () {
        const { client } = yield* Cluster.start({ files: [file] }, hostIds)
        for (const range of fills) {
          const result = yield* Cluster.asking(() =>
            client.ensureAvailable(file.node, file.interval, ...range, patient)
          )
          assert.strictEqual(result.slaReport.violation, null)
        }
        const { meta } = yield* Cluster.readFile(client, file, record.range, patient)
        assert.deepStrictEqual(meta.missingRanges, [])
        assert.strictEqual(meta.fingerprint, record.fingerprint)
      })
    )
  }

  it.live("is that of the file after all windows were asked for at once, in any order, of two hosts", () =>
    Effect.gen(function* () {
      const { client } = yield* Cluster.start({ files: [file] }, ["a", "b"])
      yield* Effect.forEach(
        parts(dayMs, 17),
        (range) => Cluster.asking(() => client.ensureAvailable(file.node, file.interval, ...range, patient)),
        { concurrency: "unbounded" }
      )
      const { meta } = yield* Cluster.readFile(client, file, record.range, patient)
      assert.deepStrictEqual(meta.missingRanges, [])
      assert.strictEqual(meta.fingerprint, record.fingerprint)
    })
  )
})
