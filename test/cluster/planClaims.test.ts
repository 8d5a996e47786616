/** Does a host claim all the slots that it should have, and none that another may still hold? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { desiredOwner } from "../../cluster/Placement.ts"
import { type ClaimView, planClaims, type SlotRecord } from "../../cluster/planClaims.ts"
import { manifest } from "../../protocol/wire/Manifest.ts"
import { law } from "../support/law.ts"

const slots = Array.from({ length: manifest.slotCount }, (_, slot) => slot)

const view = (changes: Partial<ClaimView> = {}): ClaimView => ({
  me: "host-1",
  live: new Set(["host-1"]),
  records: new Map(),
  held: new Set(),
  mayBury: true,
  ...changes
})

const owned = (owner: string): ReadonlyMap<number, SlotRecord> =>
  new Map(slots.map((slot) => [slot, { slot, owner, slotEpoch: 3, revision: slot + 10 }]))

const slotsOf = (records: ReadonlyArray<SlotRecord>) => records.map(({ slot }) => slot)

const two = new Set(["host-1", "host-2"])
const mine = slots.filter((slot) => desiredOwner(slot, two) === "host-1")

describe("planClaims()", () => {
  it("planClaims() of the first host claims everything, where no record may stand", () => {
    const claims = planClaims(view())
    expect(slotsOf(claims)).toEqual(slots)
    expect(claims.every(({ owner, revision, slotEpoch }) => owner === "" && revision === 0 && slotEpoch === 0)).toBe(
      true
    )
  })

  it("planClaims() leaves the slots alone that another host should have", () => {
    expect(slotsOf(planClaims(view({ live: two })))).toEqual(mine)
  })

  it("planClaims() takes nothing from a host that lives", () => {
    expect(planClaims(view({ live: two, records: owned("host-2") }))).toEqual([])
  })

  it("planClaims() takes the slots of a host whose session has ended, once it may", () => {
    const records = owned("host-9")
    expect(slotsOf(planClaims(view({ live: two, records })))).toEqual(mine)
    expect(planClaims(view({ live: two, records, mayBury: false }))).toEqual([])
  })

  it("planClaims() takes slots that were given back, though it may not bury anyone", () => {
    expect(slotsOf(planClaims(view({ live: two, records: owned(""), mayBury: false })))).toEqual(mine)
  })

  it("planClaims() confirms every slot that it owned, though another host should have it by now", () => {
    const records = owned("host-1")
    expect(slotsOf(planClaims(view({ live: two, records, mayBury: false })))).toEqual(slots)
  })

  it("planClaims() claims nothing that it holds", () => {
    expect(planClaims(view({ held: new Set(slots), records: owned("host-1") }))).toEqual([])
  })

  it("planClaims() gives the record that a claim replaces", () => {
    const [first] = planClaims(view({ records: owned("host-9") }))
    expect(first).toEqual({ slot: 0, owner: "host-9", slotEpoch: 3, revision: 10 })
  })

  const host = fc.constantFrom("host-1", "host-2", "host-3", "host-9", "")
  law(
    "planClaims() of all that live never has two hosts after one slot that neither owned",
    [fc.array(host, { minLength: 256, maxLength: 256 }), fc.boolean()],
    (owners, mayBury) => {
      const live = new Set(["host-1", "host-2", "host-3"])
      const records = new Map(slots.map((slot) => [slot, { slot, owner: owners[slot]!, slotEpoch: 1, revision: 1 }]))
      const claims = Array.from(live, (me) => slotsOf(planClaims(view({ me, live, records, mayBury })))).flat()
      expect(new Set(claims).size).toBe(claims.length)
      // those that have no owner among the living are all taken care of
      const orphans = slots.filter((slot) => owners[slot] === "" || (mayBury && owners[slot] === "host-9"))
      expect(orphans.filter((slot) => !claims.includes(slot))).toEqual([])
    }
  )
})
