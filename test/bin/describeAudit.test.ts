/** Does a person read in a line why time is covered or not, and what has changed? */
import { assert, describe, it } from "vitest"
import { auditText, verdictText } from "../../bin/describeAudit.ts"
import type { AdminAnswer } from "../../client/admin.ts"
import type { ExplainedJob, ExplainedRange } from "../../protocol/messages/AuditReport.ts"

const change = { version: 3, committedAt: 0, jobs: ["0.1"], source: "binance", cause: "request-3" }

const job: ExplainedJob = {
  id: "0.1",
  state: "PENDING",
  attempts: 0,
  nextAttemptAt: null,
  failure: null,
  holder: null,
  cause: "request-1"
}

const failure = { tag: "SourceUnavailable", message: "HTTP 500", source: "binance" }

const partOf = (changes: Partial<ExplainedRange>): ExplainedRange => ({
  start: 0,
  end: 120_000,
  state: "missing",
  change: null,
  exception: null,
  job: null,
  ...changes
})

const auditOf = (changes: Partial<AdminAnswer<"audit">>): AdminAnswer<"audit"> => ({
  nodeId: "a",
  interval: "1m",
  version: 3,
  changes: [],
  olderBefore: null,
  unreadable: 0,
  ...changes
})

/** What is said of one part, behind its state, its times and its bars. */
const because = (changes: Partial<ExplainedRange>): string => {
  const text = auditText(auditOf({ explanation: { until: 120_000, parts: [partOf(changes)] } }))
  const line = text.split("\n")[3] ?? ""
  assert.match(line, /^\w+ +1970-01-01T00:00:00Z +1970-01-01T00:02:00Z +2 /)
  return line.replace(/^(\S+\s+){4}/, "")
}

describe("auditText()", () => {
  it.each<readonly [string, Partial<ExplainedRange>, string]>([
    ["nothing known", {}, "nobody has asked for it, as far as is on record"],
    ["a job that brought nothing", { job: { ...job, state: "SUCCEEDED" } }, "job 0.1 brought nothing of it"],
    [
      "a change",
      { state: "covered", change },
      "since version 3 of 1970-01-01T00:00:00Z: binance, for request-3, job 0.1"
    ],
    [
      "a change of many jobs, by nobody",
      { state: "covered", change: { ...change, jobs: ["0.1", "1.1", "2.1"], source: "", cause: "" } },
      "since version 3 of 1970-01-01T00:00:00Z: jobs 0.1, 1.1 and 1 more"
    ],
    ["no change", { state: "covered" }, "since before anything that is on record"],
    [
      "a removal",
      { state: "removed", change: { ...change, jobs: [], source: "", cause: "storageRolledBack" } },
      "taken away by version 3 of 1970-01-01T00:00:00Z: for storageRolledBack"
    ],
    [
      "an exception",
      { state: "deferred", exception: { state: "deferred", reason: "too soon", retryAt: 60_000 } },
      "too soon; asked for again from 1970-01-01T00:01:00Z"
    ],
    [
      "an exception for good",
      { state: "unavailable", exception: { state: "unavailable", reason: "before its listing", retryAt: null } },
      "before its listing"
    ],
    ["a job that waits", { state: "underway", job }, "job 0.1 is waiting; for request-1"],
    [
      "a job that runs again",
      { state: "underway", job: { ...job, state: "RUNNING", holder: "i1", attempts: 1, failure, cause: "" } },
      "job 0.1 is running on host i1; failed once: SourceUnavailable of binance: HTTP 500"
    ],
    [
      "a job that failed",
      { state: "failed", job: { ...job, state: "FAILED", attempts: 3, failure, nextAttemptAt: 0 } },
      "job 0.1 failed 3 times: SourceUnavailable of binance: HTTP 500; " +
        "asked for again from 1970-01-01T00:00:00Z; for request-1"
    ],
    [
      "a job that waits for a person",
      { state: "quarantined", job: { ...job, state: "QUARANTINED", attempts: 5, cause: "" } },
      "job 0.1 failed 5 times"
    ],
    [
      "a job for what was taken away",
      { state: "underway", job, change: { ...change, jobs: [], source: "" } },
      "job 0.1 is waiting; for request-1; taken away by version 3 of 1970-01-01T00:00:00Z: for request-3"
    ]
  ])("auditText() of %s says why", (_, changes, expected) => {
    assert.strictEqual(because(changes), expected)
  })

  it("auditText() has a line a change: what it added and removed, for whom, and how to see older ones", () => {
    const text = auditText(
      auditOf({
        changes: [
          {
            ...change,
            versionBefore: 2,
            added: [
              [0, 60_000],
              [120_000, 240_000]
            ],
            removed: []
          },
          {
            ...change,
            version: 4,
            versionBefore: 3,
            added: [],
            removed: [[0, 60_000]],
            jobs: [],
            source: "",
            cause: ""
          }
        ],
        olderBefore: 3
      })
    )
    const cells = text.split("\n").map((line) => line.trim().split(/\s{2,}/))
    assert.deepStrictEqual(cells, [
      ["a 1m, coverage version 3"],
      [""],
      ["version", "at", "added", "removed", "source", "cause", "jobs"],
      [
        "3",
        "1970-01-01T00:00:00Z",
        "3 bars: 1970-01-01T00:00:00Z to 1970-01-01T00:01:00Z and 1 more",
        "-",
        "binance",
        "request-3",
        "0.1"
      ],
      ["4", "1970-01-01T00:00:00Z", "-", "1 bar: 1970-01-01T00:00:00Z to 1970-01-01T00:01:00Z", "-", "-", "-"],
      ["older changes: --before 3"]
    ])
  })

  it("auditText() tells which bars a change revised, with what they were and are; no column is there without any", () => {
    const told = { ...change, versionBefore: 2, added: [], removed: [] }
    const revisedBars = [
      { eventTime: 60_000, source: "binance", before: { close: 1, volume: null }, after: { close: 2, volume: 3 } },
      { eventTime: 120_000, source: "binance", before: null, after: { close: 4 } },
      { eventTime: 180_000, source: "binance", before: { close: 5 }, after: null }
    ]
    const text = auditText(auditOf({ changes: [{ ...told, revised: [[60_000, 240_000]], revisedBars }] }))
    assert.match(text, /revised {2,}source.*\n.*3 bars: 1970-01-01T00:01:00Z to 1970-01-01T00:04:00Z/)
    assert.deepStrictEqual(
      text
        .split("\n")
        .slice(-3)
        .map((line) => line.replace(/ +/g, " ").trim()),
      [
        "3 1970-01-01T00:01:00Z binance close 1 -> 2, volume - -> 3",
        "3 1970-01-01T00:02:00Z binance appeared: close 4",
        "3 1970-01-01T00:03:00Z binance vanished: close 5"
      ]
    )
    assert.notMatch(auditText(auditOf({ changes: [told] })), /revised/)
  })

  it("auditText() says so where there are no changes, and where the history holds", () => {
    const verdict = { holds: true, entries: 3, firstBreak: null }
    assert.strictEqual(
      auditText(auditOf({ verdict })),
      "a 1m, coverage version 3\n\nnothing has changed\n\n" +
        "the history holds: 3 changes from the first add up to just what is covered"
    )
    const ofRange = auditText(auditOf({ explanation: { until: 120_000, parts: [partOf({})] } }))
    assert.match(ofRange, /\n\nno change has touched the range$/)
  })
})

describe("verdictText()", () => {
  const broken = { kind: "coverage", version: 3, sequence: 17, problem: "it is wrong", lost: [], beyond: [] } as const

  it("verdictText() says where it does not hold, and what differs", () => {
    assert.strictEqual(
      verdictText({ holds: false, entries: 1, firstBreak: { ...broken, lost: [[0, 60_000]] } }),
      "the history does not hold at version 3 (message 17 of the stream seamless-audit), after 1 change: it is wrong; " +
        "it lacks 1970-01-01T00:00:00Z to 1970-01-01T00:01:00Z"
    )
    assert.strictEqual(
      verdictText({ holds: false, entries: 2, firstBreak: { ...broken, sequence: null } }),
      "the history does not hold at version 3 (the root that stands), after 2 changes: it is wrong"
    )
  })
})
