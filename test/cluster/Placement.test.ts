/** Are slots spread evenly, and does a change of hosts move no slot that it need not? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { desiredHost, desiredOwner, fnv1a32, labelOf, slotOf, takes } from "../../cluster/Placement.ts"
import { manifest } from "../../protocol/wire/Manifest.ts"
import { slotName } from "../../protocol/wire/ActorSubject.ts"
import { law } from "../support/law.ts"
import { sessionOf } from "./slots.ts"

const slots = Array.from({ length: manifest.slotCount }, (_, slot) => slot)

const ownersOf = (hosts: ReadonlyArray<string>) => slots.map((slot) => desiredOwner(slotName("", slot), hosts))

const countsOf = (hosts: ReadonlyArray<string>): ReadonlyArray<number> => {
  const owners = ownersOf(hosts)
  return hosts.map((host) => owners.filter((owner) => owner === host).length)
}

/** Incarnations as hosts get them: 24 digits of base 36. */
const incarnation = fc.string({
  unit: fc.constantFrom(...Array.from("0123456789abcdefghijklmnopqrstuvwxyz")),
  minLength: 24,
  maxLength: 24
})
const hostsOf = (count: number) => fc.uniqueArray(incarnation, { minLength: count, maxLength: count })

/** Sets of that many hosts, the same in each run: one of them asks for each of the 256 slots. */
const someHosts = (count: number) => fc.sample(hostsOf(count), { seed: 1, numRuns: 100 })

/** What one byte does to a hash, as FNV-1a is defined. */
const step = (hash: number, byte: number) => Math.imul(hash ^ byte, 0x01000193) >>> 0

describe("fnv1a32()", () => {
  it("fnv1a32() takes each UTF-16 unit as two bytes, low byte first", () => {
    expect(fnv1a32("")).toBe(0x811c9dc5)
    expect(fnv1a32("a")).toBe(step(step(0x811c9dc5, 0x61), 0))
    expect(fnv1a32("é€")).toBe(step(step(step(step(0x811c9dc5, 0xe9), 0), 0xac), 0x20))
  })
})

describe("slotOf()", () => {
  it("slotOf() uses every slot, none much more than another", () => {
    const counts = slots.map(() => 0)
    for (let index = 0; index < 25_600; index++) {
      const slot = slotOf({ type: "coverage", key: `ohlcv=3Abinance=3ASYM${index}.1m` })
      counts[slot]! += 1
    }
    expect(counts).toHaveLength(256)
    // a hundred each on average; six standard deviations on either side
    expect(Math.min(...counts)).toBeGreaterThan(40)
    expect(Math.max(...counts)).toBeLessThan(160)
  })

  it("slotOf() puts two types of one key in slots of their own", () => {
    const keys = Array.from({ length: 200 }, (_, index) => `key-${index}`)
    const same = keys.filter((key) => slotOf({ type: "coverage", key }) === slotOf({ type: "budget", key }))
    expect(same.length).toBeLessThan(10)
  })
})

describe("desiredOwner()", () => {
  it("desiredOwner() is nobody where no host lives, and the only one where one does", () => {
    expect(desiredOwner("0", [])).toBeUndefined()
    expect(countsOf(["only"])).toEqual([256])
  })

  law(
    "desiredOwner() does not depend on the order in which hosts are listed",
    [hostsOf(4), fc.nat(255)],
    (hosts, slot) => {
      const name = slotName("", slot)
      expect(desiredOwner(name, hosts.toReversed())).toBe(desiredOwner(name, hosts))
    }
  )

  // a third of 256 with a standard deviation of 7.5, and five of them on either side
  it("desiredOwner() spreads the slots over three hosts", () => {
    for (const count of someHosts(3).flatMap(countsOf)) {
      expect(count).toBeGreaterThanOrEqual(47)
      expect(count).toBeLessThanOrEqual(124)
    }
  })

  it("desiredOwner() gives a fourth host 43 to 85 slots, and moves no other", () => {
    const three = ["host-1", "host-2", "host-3"]
    const before = ownersOf(three)
    const after = ownersOf([...three, "host-4"])
    const moved = slots.filter((slot) => before[slot] !== after[slot])
    expect(moved.every((slot) => after[slot] === "host-4")).toBe(true)
    expect(moved.length).toBeGreaterThanOrEqual(43)
    expect(moved.length).toBeLessThanOrEqual(85)
  })

  it("desiredOwner() moves slots only to a host that joins", () => {
    for (const [joining, ...hosts] of someHosts(5)) {
      const before = ownersOf(hosts)
      const after = ownersOf([...hosts, joining!])
      expect(slots.filter((slot) => after[slot] !== joining && after[slot] !== before[slot])).toEqual([])
    }
  })

  it("desiredOwner() moves only the slots of a host that leaves", () => {
    for (const [leaving, ...hosts] of someHosts(4)) {
      const before = ownersOf([leaving!, ...hosts])
      const after = ownersOf(hosts)
      expect(slots.filter((slot) => before[slot] !== leaving && after[slot] !== before[slot])).toEqual([])
    }
  })
})

describe("takes()", () => {
  it("takes() holds for actors without a label unless the host says otherwise", () => {
    expect(takes(sessionOf("a"), "")).toBe(true)
    expect(takes(sessionOf("a", { labels: ["tick"] }), "")).toBe(true)
    expect(takes(sessionOf("a", { labels: ["tick"], unlabelled: false }), "")).toBe(false)
  })

  it("takes() holds for a label that the host has, and for no other", () => {
    expect(takes(sessionOf("a", { labels: ["tick"] }), "tick")).toBe(true)
    expect(takes(sessionOf("a", { labels: ["tick"] }), "bar")).toBe(false)
    expect(takes(sessionOf("a"), "tick")).toBe(false)
  })
})

describe("labelOf()", () => {
  it("labelOf() takes apart what slotName() put together", () => {
    for (const label of ["", "strategies"]) expect(labelOf(slotName(label, 17))).toBe(label)
  })
})

describe("desiredHost()", () => {
  const ownersAmong = (live: Parameters<typeof desiredHost>[1], label = "") =>
    slots.map((slot) => desiredHost(slotName(label, slot), live)?.incarnation)

  it("desiredHost() of hosts that are alike is the desired owner", () => {
    for (const hosts of someHosts(4).slice(0, 10)) {
      expect(ownersAmong(hosts.map((host) => sessionOf(host)))).toEqual(ownersOf(hosts))
    }
  })

  it("desiredHost() is none that drains, and none without the label", () => {
    const live = [
      sessionOf("a", { labels: ["tick"] }),
      sessionOf("b", { labels: ["tick"], draining: true }),
      sessionOf("c")
    ]
    expect(new Set(ownersAmong(live, "tick"))).toEqual(new Set(["a"]))
    expect(new Set(ownersAmong(live))).toEqual(new Set(["a", "c"]))
    expect(new Set(ownersAmong(live, "bar"))).toEqual(new Set([undefined]))
  })

  it("desiredHost() spreads the slots of a label otherwise than those of another", () => {
    const live = ["a", "b", "c"].map((host) => sessionOf(host, { labels: ["tick", "bar"] }))
    const [tick, bar] = [ownersAmong(live, "tick"), ownersAmong(live, "bar")]
    const same = slots.filter((slot) => tick[slot] === bar[slot])
    // a third of 256 by chance
    expect(same.length).toBeLessThan(130)
  })

  it("desiredHost() is a host of version 1 only where that host would find itself the strongest of all", () => {
    for (const [old, staying, draining] of someHosts(3)) {
      const live = [
        sessionOf(old!, { protocolVersion: 1 }),
        sessionOf(staying!),
        sessionOf(draining!, { draining: true })
      ]
      const seenByOld = ownersOf([old!, staying!, draining!])
      const owners = ownersAmong(live)
      expect(slots.filter((slot) => (owners[slot] === old) !== (seenByOld[slot] === old))).toEqual([])
      expect(new Set(owners)).toEqual(new Set([old, staying]))
    }
  })
})
