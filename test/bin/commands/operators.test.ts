/** Do operators see what they need, in lines that an eye can follow? */
import { assert, it } from "vitest"
import { actorsTable, lettersTable } from "../../../bin/commands/actors.ts"
import { drainText, unownedText } from "../../../bin/commands/drain.ts"
import { hostsTable } from "../../../bin/commands/hosts.ts"
import { slotsSummary, slotsTable } from "../../../bin/commands/slots.ts"
import { upstreamsTable } from "../../../bin/commands/upstreams.ts"
import type { AccountStanding } from "../../../protocol/messages/AccountStanding.ts"
import type { SlotReport } from "../../../protocol/wire/ActorReport.ts"
import type { HostReport } from "../../../protocol/wire/HostReport.ts"

const cellsOf = (text: string): ReadonlyArray<ReadonlyArray<string>> =>
  text.split("\n").map((line) => line.trim().split(/\s{2,}/))

const host: HostReport = {
  incarnation: "i1",
  hostId: "a",
  protocolVersion: 2,
  labels: ["x", "y"],
  startedAt: 0,
  state: "serving",
  slots: 3,
  residents: 2,
  residentBytes: 1024 * 1024,
  mailboxMessages: 1
}

it("hostsTable() has a line a host, and dashes for what it did not tell", () => {
  const gone: HostReport = {
    incarnation: "i2",
    hostId: "",
    protocolVersion: 0,
    labels: [],
    startedAt: 0,
    state: "unreachable",
    slots: 1
  }
  const [, first, second] = cellsOf(hostsTable([host, gone]))
  assert.deepStrictEqual(first, ["a", "serving", "x,y", "3", "2", "1.0 MiB", "1", "-", "-", "2", "-", "i1"])
  assert.deepStrictEqual(second, ["-", "unreachable", "-", "1", "-", "-", "-", "-", "-", "-", "-", "i2"])
})

it("hostsTable() shows violations where there are any, and what each of the names claims", () => {
  const broken: HostReport = { ...host, hostId: "b", violations: { storageKept: 2, endedOnce: 1, invented: 1 } }
  const [head, first, second, ...claims] = hostsTable([host, broken]).split("\n")
  assert.match(head!, / violations +incarnation$/)
  assert.match(first!, / - +i1$/)
  assert.match(second!, / storageKept 2, endedOnce 1, invented 1 +i1$/)
  assert.deepStrictEqual(claims, [
    "storageKept: what was acknowledged is still stored",
    "endedOnce: a message ends once"
  ])
  assert.notInclude(hostsTable([host]), "violations")
})

const slot = (more: Partial<SlotReport>): SlotReport => ({
  label: "x",
  slot: 1,
  owner: "i1",
  hostId: "a",
  slotEpoch: 1,
  desired: "a",
  ...more
})

const slots = [
  slot({}),
  slot({ slot: 2, desired: "b" }),
  slot({ slot: 3, owner: "i9", hostId: "" }),
  slot({ slot: 4, owner: "", hostId: "" }),
  slot({ label: "" })
]

it("slotsSummary() counts by label and owner, and what should be another's", () => {
  assert.deepStrictEqual(cellsOf(slotsSummary(slots)), [
    ["label", "host", "slots", "misplaced"],
    ["x", "a", "2", "1"],
    ["x", "(gone: i9)", "1", "1"],
    ["x", "(nobody)", "1", "1"],
    ["-", "a", "1", "0"]
  ])
})

it("slotsTable() has a line a slot", () => {
  assert.deepStrictEqual(cellsOf(slotsTable(slots.slice(1, 2)))[1], ["x", "2", "a", "b", "1"])
})

it("actorsTable() says how busy each is", () => {
  const actor = { type: "t", key: "k", slot: "1", hostId: "a", state: "active", epoch: 2, bytes: 0 } as const
  const text = actorsTable([{ ...actor, rate: 1.25, mailbox: 3, p99Ms: 4.56, messages: 7 }])
  assert.deepStrictEqual(cellsOf(text)[1], ["t", "k", "a", "active", "1.3", "3", "4.6", "2", "7"])
})

it("lettersTable() keeps a reason of several lines to its first", () => {
  const letter = {
    format: 1,
    id: "m1",
    to: { type: "t", key: "k" },
    label: "",
    message: "add",
    payload: null,
    cause: "",
    reason: "it broke\nin the middle",
    trace: "",
    traceParent: "",
    hostId: "a",
    epoch: 2,
    at: 0
  } as const
  assert.deepStrictEqual(cellsOf(lettersTable([letter]))[1], [
    "m1",
    "t",
    "k",
    "add",
    "a",
    "2",
    "1970-01-01T00:00:00Z",
    "it broke"
  ])
})

it("drainText() says what it came to", () => {
  const text = drainText({ hostId: "a", incarnation: "i", handovers: 5, handoverMsMax: 10.4, elapsedMs: 99.6 })
  assert.strictEqual(text, "a is drained: 5 slots handed over in 100 ms, the slowest in 10 ms")
})

it("unownedText() tells what nobody takes over from a drained host", () => {
  const drained: HostReport = { ...host, state: "drained" }
  const other: HostReport = { ...host, incarnation: "i2", hostId: "b" }
  assert.isUndefined(unownedText(drained, [drained, other]))
  assert.match(unownedText(drained, [drained]) ?? "", /^no other host serves: nobody owns what a gave up/)
  assert.match(unownedText(drained, [drained, { ...other, state: "draining" }]) ?? "", /^no other host serves/)
  assert.match(unownedText(drained, [drained, { ...other, labels: ["x"] }]) ?? "", /^no other host takes the label y:/)
})

const standing: AccountStanding = {
  account: "main",
  limits: { requestsPerMinute: 100, weightPerMinute: null, concurrency: 4, burst: 5 },
  available: { requests: 3, weight: null },
  inFlight: 2,
  waiting: { interactive: 1, repair: 0, bulk: 12, verify: 0 },
  coolDownUntil: 60_000,
  circuits: [
    { source: "binance", state: "closed", failures: 0, reason: "", openUntil: null },
    { source: "second", state: "open", failures: 10, reason: "the exchange answered 500", openUntil: 1000 }
  ]
}

it("upstreamsTable() has a line an account, and says below why sources are left alone", () => {
  const none = { requestsPerMinute: null, weightPerMinute: null, concurrency: null, burst: null }
  const calm: AccountStanding = {
    account: "okx",
    limits: none,
    available: { requests: null, weight: null },
    inFlight: 0,
    waiting: { interactive: 0, repair: 0, bulk: 0, verify: 0 },
    coolDownUntil: null,
    circuits: [{ source: "okx", state: "halfOpen", failures: 11, reason: "no answer", openUntil: null }]
  }
  const [head, first, second, ...reasons] = cellsOf(upstreamsTable([standing, calm]))
  assert.deepStrictEqual(first, [
    "main",
    "3 of 100",
    "-",
    "2 of 4",
    "interactive 1, bulk 12",
    "1970-01-01T00:01:00Z",
    "binance closed, second open until 1970-01-01T00:00:01Z"
  ])
  assert.deepStrictEqual(head?.slice(0, 4), ["account", "requests free", "weight free", "in flight"])
  assert.deepStrictEqual(second, ["okx", "-", "-", "0", "-", "-", "okx half open"])
  assert.deepStrictEqual(reasons, [
    ["second: 10 requests in a row have failed; the last: the exchange answered 500"],
    ["okx: 11 requests in a row have failed; the last: no answer"]
  ])
})
