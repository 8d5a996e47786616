/**
 * Do hosts that each plan for themselves come to agree, whatever happens to them and in whatever order they act?
 *
 * A model: records under compare-and-set, and hosts that look, plan and act, one at a time, in an order that is drawn.
 */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { desiredHost } from "../../cluster/Placement.ts"
import { planClaims, type SlotRecord } from "../../cluster/planClaims.ts"
import type { SessionRecord } from "../../protocol/wire/HostRecords.ts"
import { seededNumbers } from "../support/seededOrder.ts"
import { sessionOf, slotsOf } from "./slots.ts"

interface Host {
  readonly session: SessionRecord
  readonly held: Map<string, SlotRecord>
  /** Slots that need a confirmation, since touch was lost. */
  readonly doubtful: Set<string>
}

/** All slots, and the hosts that live. */
class World {
  readonly records = new Map<string, SlotRecord>()
  readonly hosts = new Map<string, Host>()
  claims = 0
  moves = 0
  private revision = 0

  start(session: SessionRecord): void {
    this.hosts.set(session.incarnation, { session, held: new Map(), doubtful: new Set() })
  }

  drain(name: string): void {
    const host = this.hosts.get(name)
    if (host !== undefined) this.hosts.set(name, { ...host, session: { ...host.session, draining: true } })
  }

  loseTouch(name: string): void {
    const host = this.hosts.get(name)
    for (const slot of host?.held.keys() ?? []) host?.doubtful.add(slot)
  }

  live(): ReadonlyArray<SessionRecord> {
    return Array.from(this.hosts.values(), ({ session }) => session)
  }

  /** One check of one host; gives whether there was anything to do. */
  check(name: string): boolean {
    const host = this.hosts.get(name)
    if (host === undefined) return false
    const { doubtful, held, session } = host
    const live = this.live()
    const plan = planClaims({
      me: session,
      live,
      records: new Map(this.records),
      held: new Map(
        Array.from(
          held,
          ([slot, record]) => [slot, { record, isConfirmed: !doubtful.has(slot), isVoid: false }] as const
        )
      ),
      busy: new Set(),
      mayBury: true,
      mayMove: true,
      acquainted: new Set(live.map(({ incarnation }) => incarnation))
    })
    for (const slot of plan.lost) held.delete(slot)
    for (const record of plan.confirms) {
      this.hold(host, this.write({ ...record, owner: name }))
      doubtful.delete(record.slot)
    }
    for (const record of plan.claims) {
      this.claims += 1
      this.hold(host, this.write({ ...record, owner: name, slotEpoch: record.slotEpoch + 1 }))
    }
    for (const { record } of plan.moves) {
      this.moves += 1
      held.delete(record.slot)
      this.write({ ...record, owner: "" })
    }
    return plan.claims.length + plan.confirms.length + plan.moves.length + plan.lost.length > 0
  }

  /** Lets all act, in an order that is drawn, until nobody has anything to do. */
  settle(next: () => number): void {
    let isBusy = true
    for (let round = 0; isBusy; round++) {
      // each round hands over 16 slots at the least: 256 of three labels are moved in 48, and claimed in as many
      expect(round).toBeLessThan(120)
      const order = Array.from(this.hosts.keys(), (name) => ({ name, rank: next() }))
      isBusy = order.toSorted((a, b) => a.rank - b.rank).reduce((any, { name }) => this.check(name) || any, false)
      this.expectSingleOwners()
    }
  }

  owners(label = ""): ReadonlyArray<string | undefined> {
    return slotsOf(label).map((slot) => this.records.get(slot)?.owner)
  }

  private write(record: SlotRecord): SlotRecord | undefined {
    if ((this.records.get(record.slot)?.revision ?? 0) !== record.revision) return undefined
    this.revision += 1
    const written = { ...record, revision: this.revision }
    this.records.set(record.slot, written)
    return written
  }

  private hold({ held }: Host, record: SlotRecord | undefined): void {
    if (record !== undefined) held.set(record.slot, record)
  }

  private expectSingleOwners(): void {
    const holders = Array.from(this.hosts.values()).flatMap(({ held }) => Array.from(held.keys()))
    expect(new Set(holders).size).toBe(holders.length)
  }
}

const labels = ["", "tick", "bar"]

/** Each slot is where it should be; where nobody takes it who stays, nobody has it. */
const expectDesired = (world: World): void => {
  const live = world.live()
  const alive = new Set(live.map(({ incarnation }) => incarnation))
  for (const label of labels) {
    const desired = slotsOf(label).map((slot) => desiredHost(slot, live)?.incarnation)
    const owners = world.owners(label).map((owner) => (owner !== undefined && alive.has(owner) ? owner : undefined))
    expect(owners).toEqual(desired)
  }
}

const host = fc.constantFrom("host-1", "host-2", "host-3", "host-4", "host-5")
const session = fc
  .tuple(host, fc.subarray(["tick", "bar"]), fc.boolean())
  .map(([name, labels, unlabelled]) => sessionOf(name, { labels, unlabelled: unlabelled || labels.length === 0 }))
const event = fc.oneof(
  session.map((started) => (world: World) => {
    if (!world.hosts.has(started.incarnation)) world.start(started)
  }),
  host.map((name) => (world: World) => void world.hosts.delete(name)),
  host.map((name) => (world: World) => world.drain(name)),
  host.map((name) => (world: World) => world.loseTouch(name)),
  host.map((name) => (world: World) => void world.check(name))
)

const three = ["host-1", "host-2", "host-3"]

const threeSettled = (next: () => number): World => {
  const world = new World()
  for (const name of three) world.start(sessionOf(name))
  world.settle(next)
  return world
}

describe("hosts that plan for themselves", () => {
  it("converge to exactly the desired owners, and no slot ever has two", () => {
    const claim = fc.property(fc.array(event, { maxLength: 12 }), fc.nat(), (events, seed) => {
      const world = new World()
      for (const happen of events) happen(world)
      world.settle(seededNumbers(seed))
      expectDesired(world)
      for (const { held, session: own } of world.hosts.values()) if (own.draining === true) expect(held.size).toBe(0)
    })
    fc.assert(claim, { numRuns: 100 })
  })

  it("move only slots to a host that joins, a quarter of them, and each once", () => {
    const next = seededNumbers(1)
    const world = threeSettled(next)
    const before = world.owners()
    world.moves = 0
    world.start(sessionOf("host-4"))
    world.settle(next)
    const moved = world.owners().filter((owner, index) => owner !== before[index])
    expect(new Set(moved)).toEqual(new Set(["host-4"]))
    expect(moved.length).toBeGreaterThanOrEqual(43)
    expect(moved.length).toBeLessThanOrEqual(85)
    expect(world.moves).toBe(moved.length)
  })

  it("move only the slots of a host that leaves, whether it drains or dies", () => {
    for (const leave of [(world: World) => world.drain("host-2"), (world: World) => world.hosts.delete("host-2")]) {
      const next = seededNumbers(2)
      const world = threeSettled(next)
      const before = world.owners()
      leave(world)
      world.settle(next)
      const moved = before.filter((owner, index) => owner !== world.owners()[index])
      expect(new Set(moved)).toEqual(new Set(["host-2"]))
      expect(moved.length).toBe(before.filter((owner) => owner === "host-2").length)
      expectDesired(world)
    }
  })

  it("claim nothing anew and move nothing after all of them had lost touch", () => {
    const next = seededNumbers(3)
    const world = threeSettled(next)
    const epochs = Array.from(world.records.values(), ({ slotEpoch }) => slotEpoch)
    const { claims, moves } = world
    for (const name of three) world.loseTouch(name)
    world.settle(next)
    expect([world.claims, world.moves]).toEqual([claims, moves])
    expect(Array.from(world.records.values(), ({ slotEpoch }) => slotEpoch)).toEqual(epochs)
  })
})
