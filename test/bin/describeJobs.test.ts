/** Do people see in a line how a window is doing, and what comes next? */
import { Schema } from "effect"
import { assert, it } from "vitest"
import { removedText } from "../../bin/commands/invalidate.ts"
import { jobsTable, listText, recordText } from "../../bin/describeJobs.ts"
import type { AdminAnswer } from "../../client/admin.ts"
import { BackfillJob } from "../../protocol/history/BackfillJob.ts"
import { jobOf, rangesOf, series } from "../support/jobs.ts"

type Job = AdminAnswer<"jobs">["jobs"][number]

const cellsOf = (text: string): ReadonlyArray<ReadonlyArray<string>> =>
  text.split("\n").map((line) => line.trim().split(/\s{2,}/))

const job = (changes: Partial<Job> = {}): Job => ({
  series,
  windowStart: 0,
  run: 3,
  state: "FAILED",
  jobClass: "bulk",
  attempts: 2,
  failure: { tag: "SourceUnavailable", message: "HTTP 500\n<html>", source: "binance" },
  nextAttemptAt: 66_000,
  holder: null,
  wantedBars: 1440,
  broughtBars: 0,
  cause: "request-1",
  ...changes
})

const counts = { PENDING: 0, RUNNING: 0, SUCCEEDED: 0, FAILED: 0, EXPIRED: 0, QUARANTINED: 0 }

it("jobsTable() says in how long a window is tried again, and the first line of why it failed", () => {
  const due = job({ nextAttemptAt: 1000, failure: null })
  const [, failed, again, never] = cellsOf(jobsTable([job(), due, job({ nextAttemptAt: null })], 1000))
  const reason = "SourceUnavailable of binance: HTTP 500"
  assert.deepStrictEqual(failed, ["1970-01-01T00:00:00Z", "3", "FAILED", "bulk", "0/1,440", "2", "in 1:05", reason])
  assert.deepStrictEqual(again?.slice(5), ["2", "due"])
  assert.strictEqual(never?.[6], "-")
})

it("jobsTable() tells jobs that check a source's bars from those that fill the window, where there are any", () => {
  const [head, filling, checking] = cellsOf(jobsTable([job(), job({ revises: "binance" })], 0))
  assert.deepStrictEqual(head?.slice(0, 3), ["window", "revises", "run"])
  assert.deepStrictEqual([filling?.[1], checking?.[1]], ["-", "binance"])
  assert.notInclude(jobsTable([job()], 0), "revises")
})

it("jobsTable() names the series where there are several", () => {
  const other = job({ series: { nodeId: "b", interval: "5m" } })
  assert.deepStrictEqual(
    cellsOf(jobsTable([job(), other], 0)).map(([first]) => first),
    ["series", "ohlcv:binance:BTC/BUSD 1m", "b 5m"]
  )
  assert.strictEqual(cellsOf(jobsTable([job(), job()], 0))[0]?.[0], "window")
})

it("listText() says how many there are, and of how many the newest are shown", () => {
  const two = { ...counts, FAILED: 1, SUCCEEDED: 1200 }
  const last = (told: AdminAnswer<"jobs">) => listText(told, 0, true).split("\n").at(-1)
  assert.strictEqual(
    last({ jobs: [job()], counts: two, total: 1, isWhole: true }),
    "1 shown; in all: 1,200 SUCCEEDED, 1 FAILED"
  )
  assert.match(
    last({ jobs: [job()], counts: two, total: 1201, isWhole: true }) ?? "",
    /^the newest 1 of 1,201; in all: /
  )
  assert.strictEqual(
    last({ jobs: [], counts: two, total: 0, isWhole: true }),
    "0 shown; in all: 1,200 SUCCEEDED, 1 FAILED"
  )
  assert.strictEqual(last({ jobs: [], counts, total: 0, isWhole: true }), "there are no jobs")
})

it("listText() names the series also where all jobs are of one, unless it was asked for that one", () => {
  const told = { jobs: [job()], counts, total: 1, isWhole: true }
  assert.strictEqual(cellsOf(listText(told, 0, false))[1]?.[0], "ohlcv:binance:BTC/BUSD 1m")
  assert.strictEqual(cellsOf(listText(told, 0, true))[0]?.[0], "window")
})

it("recordText() has a line for each part of a record, and what of it is left", () => {
  const record = Schema.encodeSync(BackfillJob)(
    jobOf({
      state: "RUNNING",
      ranges: rangesOf([0, 180_000]),
      completedRanges: rangesOf([60_000, 120_000]),
      lease: { holder: "i1", leaseMs: 5000 },
      renewals: 4,
      revises: "binance",
      passedOver: [{ tag: "SourceUnavailable", message: "down", source: "second" }]
    })
  )
  const lines = new Map(cellsOf(recordText(record, 0)).map(([name = "", text = ""]) => [name, text]))
  assert.deepInclude(Object.fromEntries(lines), {
    window: "1970-01-01T00:00:00Z",
    revises: "binance",
    state: "RUNNING",
    wanted: "1970-01-01T00:00:00Z to 1970-01-01T00:03:00Z",
    left: "1970-01-01T00:00:00Z to 1970-01-01T00:01:00Z and 1 more",
    "held by": "i1, 5 s at a time, renewed 4 times",
    "passed over": "SourceUnavailable of second: down",
    failure: "-",
    for: "request-1"
  })
})

it("removedText() says what does not count any more", () => {
  assert.strictEqual(
    removedText({ removedBars: 1440, version: 7 }),
    "1,440 bars do not count any more; coverage version 7"
  )
  assert.strictEqual(removedText({ removedBars: 1, version: 7 }), "1 bar does not count any more; coverage version 7")
  assert.strictEqual(removedText({ removedBars: 0, version: 8 }), "nothing of it was covered; coverage version 8")
})
