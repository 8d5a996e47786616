/** Is what operators see put together right from records and answers? */
import { assert, describe, it } from "vitest"
import { Result } from "effect"
import { busiest, findHost, hostReports, newestWithin, slotReports } from "../../cluster/adminReports.ts"
import type { SlotRecord } from "../../cluster/planClaims.ts"
import type { ActorReport } from "../../protocol/wire/ActorReport.ts"
import type { SessionRecord } from "../../protocol/wire/HostRecords.ts"

const host = (incarnation: string, more: Partial<SessionRecord> = {}): SessionRecord => ({
  incarnation,
  hostId: incarnation.toUpperCase(),
  configurationHash: "",
  protocolVersion: 2,
  startedAt: 1,
  ...more
})

const record = (slot: string, owner: string, slotEpoch = 1): SlotRecord => ({ slot, owner, slotEpoch, revision: 1 })

const actor = (key: string, rate: number, messages: number): ActorReport => ({
  type: "t",
  key,
  slot: "1",
  hostId: "A",
  state: "active",
  epoch: 1,
  rate,
  mailbox: 0,
  p99Ms: 1,
  messages,
  bytes: 0
})

describe("hostReports", () => {
  const live = [host("b"), host("a"), host("old", { protocolVersion: 1 })]
  const slots = [record("1", "a"), record("2", "a"), record("3", "old"), record("4", "dead"), record("5", "")]
  const reports = hostReports({ live, slots }, new Map([["a", { state: "draining", residents: 7 }]]))

  it("hostReports() joins session, slots and what the host said, by label", () => {
    assert.deepStrictEqual(
      reports.map(({ hostId, slots, state }) => [hostId, state, slots]),
      [
        ["", "unreachable", 1],
        ["A", "draining", 2],
        ["B", "unreachable", 0],
        ["OLD", "serving", 1]
      ]
    )
    assert.strictEqual(reports[1]!.residents, 7)
  })

  it("hostReports() names the owner whose session is gone", () => {
    assert.strictEqual(reports[0]!.incarnation, "dead")
  })
})

describe("slotReports", () => {
  it("slotReports() tells the owner's label, and whose the slot should be", () => {
    const slots = [record("s.10", "a", 3), record("s.2", "dead"), record("7", "")]
    const live = [host("a", { labels: ["s"], unlabelled: false })]
    assert.deepStrictEqual(slotReports({ live, slots }), [
      { label: "", slot: 7, owner: "", hostId: "", slotEpoch: 1, desired: "" },
      { label: "s", slot: 2, owner: "dead", hostId: "", slotEpoch: 1, desired: "A" },
      { label: "s", slot: 10, owner: "a", hostId: "A", slotEpoch: 3, desired: "A" }
    ])
  })

  it("slotReports() gives a label as it was before it became a token", () => {
    assert.strictEqual(slotReports({ live: [], slots: [record("a=2Eb.1", "")] })[0]!.label, "a.b")
  })
})

describe("busiest", () => {
  it("busiest() goes by rate, then by messages, and cuts", () => {
    const actors = [actor("idle", 0, 3), actor("hot", 9, 1), actor("warm", 0, 5), actor("cold", 0, 0)]
    assert.deepStrictEqual(
      busiest(actors, 3).map(({ key }) => key),
      ["hot", "warm", "idle"]
    )
  })
})

const refusal = (...asked: Parameters<typeof findHost>): string =>
  Result.getOrThrow(Result.flip(findHost(...asked))).message

describe("findHost", () => {
  const live = [host("i1", { hostId: "a" }), host("i2", { hostId: "b" }), host("i3", { hostId: "b" })]

  it("findHost() takes a label or an incarnation", () => {
    assert.strictEqual(Result.getOrThrow(findHost(live, "a")).incarnation, "i1")
    assert.strictEqual(Result.getOrThrow(findHost(live, "i3")).incarnation, "i3")
  })

  it("findHost() names the hosts that there are", () => {
    assert.match(refusal(live, "c"), /no host is called c: those that live are a, b, b/)
  })

  it("findHost() does not choose between two of one label", () => {
    assert.match(refusal(live, "b"), /2 hosts are called b: .* i2 or i3/)
  })
})

describe("newestWithin", () => {
  it("newestWithin() keeps the last that have room, in their order", () => {
    assert.deepStrictEqual(newestWithin(["aa", "bb", "cc"], 10), ["bb", "cc"])
    assert.deepStrictEqual(newestWithin(["aa", "bb", "cc"], 15), ["aa", "bb", "cc"])
    assert.deepStrictEqual(newestWithin(["aa"], 1), [])
  })
})
