/** Does a host claim all the slots that it should have, keep what is its own, and hand over the rest and no more? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { desiredHost } from "../../cluster/Placement.ts"
import { type ClaimView, handoversMax, planClaims, type SlotRecord, slotsFor } from "../../cluster/planClaims.ts"
import { law } from "../support/law.ts"
import { sessionOf, slotsOf } from "./slots.ts"

const slots = slotsOf("")
const [me, other] = [sessionOf("host-1"), sessionOf("host-2")]
const two = [me, other]

const recordOf = (slot: string, owner: string, changes: Partial<SlotRecord> = {}): SlotRecord => ({
  slot,
  owner,
  slotEpoch: 3,
  revision: 10,
  ...changes
})

const view = (changes: Partial<ClaimView> = {}): ClaimView => ({
  me,
  live: [changes.me ?? me],
  records: new Map(),
  held: new Map(),
  busy: new Set(),
  mayBury: true,
  mayMove: true,
  acquainted: new Set((changes.live ?? []).map(({ incarnation }) => incarnation)),
  ...changes
})

const byName = (records: ReadonlyArray<SlotRecord>) => new Map(records.map((record) => [record.slot, record]))
const allOwnedBy = (owner: string) => byName(slots.map((slot) => recordOf(slot, owner)))
const heldFrom = (records: Iterable<SlotRecord>, isConfirmed = true): ClaimView["held"] =>
  new Map(Array.from(records, (record) => [record.slot, { record, isConfirmed, isVoid: false }]))

const names = (records: ReadonlyArray<SlotRecord>) => records.map(({ slot }) => slot)
const wantedBy = (host: string, live = two) => slots.filter((slot) => desiredHost(slot, live)?.incarnation === host)

describe("planClaims() of what is free", () => {
  it("planClaims() of the first host claims everything, where no record may stand", () => {
    const { claims, ...rest } = planClaims(view())
    expect(names(claims)).toEqual(slots)
    expect(claims.every(({ owner, revision, slotEpoch }) => owner === "" && revision === 0 && slotEpoch === 0)).toBe(
      true
    )
    expect(rest).toEqual({ confirms: [], moves: [], lost: [] })
  })

  it("planClaims() leaves the slots alone that another host should have", () => {
    expect(names(planClaims(view({ live: two })).claims)).toEqual(wantedBy("host-1"))
  })

  it("planClaims() takes nothing from a host that lives", () => {
    expect(planClaims(view({ live: two, records: allOwnedBy("host-2") })).claims).toEqual([])
  })

  it("planClaims() takes the slots of a host whose session has ended, once it may", () => {
    const records = allOwnedBy("host-9")
    expect(names(planClaims(view({ live: two, records })).claims)).toEqual(wantedBy("host-1"))
    expect(planClaims(view({ live: two, records, mayBury: false })).claims).toEqual([])
  })

  it("planClaims() takes slots that were given back, though it may not bury anyone", () => {
    expect(names(planClaims(view({ live: two, records: allOwnedBy(""), mayBury: false })).claims)).toEqual(
      wantedBy("host-1")
    )
  })

  it("planClaims() claims slots of its labels, and those without one only if it takes them", () => {
    const labelled = sessionOf("host-1", { labels: ["tick", "bar"], unlabelled: false })
    expect(names(planClaims(view({ me: labelled })).claims)).toEqual([...slotsOf("tick"), ...slotsOf("bar")])
    expect(slotsFor(sessionOf("host-1", { labels: ["tick"] }))).toEqual([...slots, ...slotsOf("tick")])
  })

  it("planClaims() gives the record that a claim replaces", () => {
    const record = recordOf("0", "host-9")
    expect(planClaims(view({ records: byName([record]) })).claims[0]).toEqual(record)
  })
})

describe("planClaims() of what this host owns", () => {
  const mine = allOwnedBy("host-1")

  it("planClaims() does nothing about what it holds and should", () => {
    expect(planClaims(view({ held: heldFrom(mine.values()), records: mine }))).toEqual({
      claims: [],
      confirms: [],
      moves: [],
      lost: []
    })
  })

  it("planClaims() confirms what it holds since before it lost touch, though another should have it by now", () => {
    const held = heldFrom(mine.values(), false)
    const { confirms, ...rest } = planClaims(view({ live: two, held, records: mine }))
    expect(confirms).toEqual(Array.from(mine.values()))
    expect(rest).toEqual({ claims: [], moves: [], lost: [] })
  })

  it("planClaims() confirms upon its own newest write, whichever of the two looks is older", () => {
    const held = heldFrom([recordOf("1", "host-1", { revision: 20 })], false)
    const behind = byName([recordOf("1", "host-9", { slotEpoch: 2, revision: 7 })])
    const unnoticed = byName([recordOf("1", "host-1", { revision: 23 })])
    expect(planClaims(view({ held, records: behind })).confirms[0]?.revision).toBe(20)
    expect(planClaims(view({ held, records: unnoticed })).confirms[0]?.revision).toBe(23)
  })

  it("planClaims() lets go of what someone else has written, confirmed or not", () => {
    const taken = byName([recordOf("1", "host-2", { slotEpoch: 4, revision: 20 }), recordOf("2", "", { revision: 21 })])
    for (const isConfirmed of [true, false]) {
      const held = heldFrom([mine.get("1")!, mine.get("2")!, mine.get("3")!], isConfirmed)
      expect(planClaims(view({ held, records: taken })).lost).toEqual(["1", "2"])
    }
  })

  it("planClaims() lets go of what it owns by a later claim of its own, which came through unnoticed", () => {
    const later = byName([recordOf("1", "host-1", { slotEpoch: 4, revision: 20 })])
    const { confirms, lost } = planClaims(view({ held: heldFrom([mine.get("1")!], false), records: later }))
    expect([confirms, lost]).toEqual([[], ["1"]])
  })

  it("planClaims() lets go of what is void, does nothing else with it, and claims it at the next look", () => {
    const isMine = recordOf("1", "host-1")
    for (const isConfirmed of [true, false]) {
      const held = new Map([["1", { record: isMine, isConfirmed, isVoid: true }]])
      // its record stands, or an earlier one that storage went back to
      for (const records of [byName([isMine]), byName([recordOf("1", "", { slotEpoch: 1, revision: 2 })])]) {
        const { claims, ...rest } = planClaims(view({ live: two, held, records }))
        expect(rest).toEqual({ confirms: [], moves: [], lost: ["1"] })
        expect(names(claims)).not.toContain("1")
      }
      expect(names(planClaims(view({ records: byName([isMine]) })).claims)).toContain("1")
    }
  })

  it("planClaims() claims anew what a record says is its own though it does not hold it", () => {
    const { claims, confirms } = planClaims(view({ records: mine, mayBury: false }))
    expect(names(claims)).toEqual(slots)
    expect(confirms).toEqual([])
  })
})

describe("planClaims() of what another host should have", () => {
  const mine = allOwnedBy("host-1")
  const held = heldFrom(mine.values())
  const toMove = wantedBy("host-2")

  it("planClaims() hands over what a host should have that joined, some slots at a time", () => {
    const { moves } = planClaims(view({ live: two, held, records: mine }))
    expect(moves.map(({ record }) => record.slot)).toEqual(toMove.slice(0, handoversMax))
    expect(moves.every(({ isAwaited }) => isAwaited)).toBe(true)
    const busy = new Set(toMove.slice(0, handoversMax - 3))
    const rest = new Map(Array.from(held).filter(([slot]) => !busy.has(slot)))
    expect(planClaims(view({ live: two, held: rest, records: mine, busy })).moves).toHaveLength(3)
  })

  it("planClaims() hands nothing over to a host that it saw for a moment, or while it is not settled itself", () => {
    expect(planClaims(view({ live: two, held, records: mine, acquainted: new Set(["host-1"]) })).moves).toEqual([])
    expect(planClaims(view({ live: two, held, records: mine, mayMove: false })).moves).toEqual([])
  })

  it("planClaims() does not wait for a host that is not told", () => {
    const live = [me, sessionOf("host-2", { protocolVersion: 1 })]
    const { moves } = planClaims(view({ live, held, records: mine }))
    expect(moves).toHaveLength(handoversMax)
    expect(moves.some(({ isAwaited }) => isAwaited)).toBe(false)
  })

  it("planClaims() of a host that drains gives everything away at once, and claims nothing", () => {
    const draining = sessionOf("host-1", { draining: true })
    const live = [draining, other]
    const plan = planClaims(view({ me: draining, live, held, records: mine, mayMove: false, acquainted: new Set() }))
    expect(plan.moves).toHaveLength(handoversMax)
    expect(planClaims(view({ me: draining, live, records: allOwnedBy("") })).claims).toEqual([])
    // alone, nobody is waited for
    const alone = planClaims(view({ me: draining, live: [draining], held, records: mine })).moves
    expect(alone.every(({ isAwaited }) => !isAwaited)).toBe(true)
  })

  it("planClaims() gives back what a record says is its own, where another should have it", () => {
    const { claims, moves } = planClaims(view({ live: two, records: mine }))
    expect(names(claims)).toEqual(wantedBy("host-1"))
    expect(moves).toHaveLength(handoversMax)
  })

  const host = fc.constantFrom("host-1", "host-2", "host-3", "host-9", "")
  law(
    "planClaims() of all that live never has two hosts after one slot that neither owned",
    [fc.array(host, { minLength: 256, maxLength: 256 }), fc.boolean(), fc.subarray(["host-1", "host-2", "host-3"])],
    (owners, mayBury, draining) => {
      const live = ["host-1", "host-2", "host-3"].map((name) => sessionOf(name, { draining: draining.includes(name) }))
      const records = byName(slots.map((slot, index) => recordOf(slot, owners[index]!)))
      const claims = live.flatMap((self) => names(planClaims(view({ me: self, live, records, mayBury })).claims))
      expect(new Set(claims).size).toBe(claims.length)
      // those that have no owner among the living are all taken care of, where anyone stays to do so
      const orphans = slots.filter((_, index) => owners[index] === "" || (mayBury && owners[index] === "host-9"))
      if (draining.length < live.length) expect(orphans.filter((slot) => !claims.includes(slot))).toEqual([])
    }
  )
})
