/** Do classes of work share turns by their weights, so that none starves, and none saves turns up? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as ClassTurns from "../../../actors/backfill/ClassTurns.ts"
import { JobClass } from "../../../protocol/history/BackfillJob.ts"
import { classWeights } from "../../../protocol/history/classShares.ts"
import { law } from "../../support/law.ts"

const { order, served } = ClassTurns
const all = JobClass.literals
const roundTurns = 15

const jobClass = fc.constantFrom(...all)
/** Which classes have work at some moment. */
const busy = fc.uniqueArray(jobClass, { minLength: 1 })

/** One turn as a worker takes it: the classes are looked at in their order until one has work. */
const takeTurn = (turns: ClassTurns.ClassTurns, withWork: ReadonlyArray<JobClass>) => {
  const looked = order(turns, all)
  const at = looked.findIndex((each) => withWork.includes(each))
  const found = looked[at]!
  return { found, turns: served(turns, found, looked.slice(0, at)) }
}

/** The turns that follow each other, by the class that each is for. */
const takeTurns = (from: ClassTurns.ClassTurns, moments: ReadonlyArray<ReadonlyArray<JobClass>>) => {
  let turns = from
  const found = moments.map((withWork) => {
    const turn = takeTurn(turns, withWork)
    turns = turn.turns
    return turn.found
  })
  return { found, turns }
}

const always = (count: number, withWork: ReadonlyArray<JobClass> = all) => Array.from({ length: count }, () => withWork)

const countOf = (found: ReadonlyArray<JobClass>, one: JobClass): number => found.filter((each) => each === one).length

const total = (classes: ReadonlyArray<JobClass>): number => classes.reduce((sum, each) => sum + classWeights[each], 0)

/** Turns that others can have before a class that waits: each what it has a claim on meanwhile, and one more. */
const turnsAheadMax = (waiting: JobClass): number =>
  all
    .filter((other) => other !== waiting)
    .reduce((sum, other) => sum + Math.ceil(classWeights[other] / classWeights[waiting]) + 1, 0)

describe("classWeights", () => {
  it("classWeights are eight, four, two and one of fifteen, the more urgent the more", () => {
    expect(all.map((each) => classWeights[each])).toEqual([8, 4, 2, 1])
    expect(total(all)).toBe(roundTurns)
  })
})

describe("order()", () => {
  it("order() of classes that were not served yet is by urgency, as they are declared", () => {
    expect(order(ClassTurns.none, all)).toEqual(["interactive", "repair", "bulk", "verify"])
  })

  law("order() keeps those with equal claims as they are given, and adds none", [busy], (classes) =>
    expect(order(ClassTurns.none, classes)).toEqual(classes)
  )

  law("order() begins with the class that has come least far", [fc.array(busy, { maxLength: 60 })], (moments) => {
    const { turns } = takeTurns(ClassTurns.none, moments)
    const passes = order(turns, all).map((each) => turns.get(each) ?? 0)
    expect(passes).toEqual(passes.toSorted((a, b) => a - b))
  })
})

describe("served()", () => {
  law("served() never takes back how far a class has come", [fc.array(busy, { maxLength: 60 })], (moments) => {
    let turns = ClassTurns.none
    for (const withWork of moments) {
      const before = turns
      const turn = takeTurn(turns, withWork)
      turns = turn.turns
      for (const each of all) expect(turns.get(each) ?? 0).toBeGreaterThanOrEqual(before.get(each) ?? 0)
      expect(turns.get(turn.found)).toBe((before.get(turn.found) ?? 0) + 1 / classWeights[turn.found])
    }
  })

  it("served() takes nothing back of what another worker was served while this one looked", () => {
    // both began to look at once: the other found bulk, for which this one looked in vain
    const meanwhile = served(ClassTurns.none, "bulk", [])
    const turns = served(meanwhile, "verify", ["interactive", "repair", "bulk"])
    expect(turns.get("bulk")).toBe(1 / classWeights.bulk)
  })
})

describe("turns", () => {
  law("of any fifteen in a row that all classes want, each gets just its weight", [fc.nat(200)], (before) => {
    const { turns } = takeTurns(ClassTurns.none, always(before))
    const { found } = takeTurns(turns, always(roundTurns))
    expect(all.map((each) => countOf(found, each))).toEqual(all.map((each) => classWeights[each]))
  })

  law(
    "no class is ever two turns away from its share, where all want all",
    [fc.integer({ min: 1, max: 400 })],
    (count) => {
      const { found } = takeTurns(ClassTurns.none, always(count))
      for (const each of all) {
        expect(Math.abs(countOf(found, each) - (count * classWeights[each]) / roundTurns)).toBeLessThan(2)
      }
    }
  )

  law(
    "classes that have work alone share by their classWeights, the turns of the others among them",
    [busy, fc.nat(100)],
    (classes, rounds) => {
      const { found } = takeTurns(ClassTurns.none, always(rounds * total(classes), classes))
      expect(classes.map((each) => countOf(found, each))).toEqual(classes.map((each) => rounds * classWeights[each]))
    }
  )

  law(
    "no class waits longer than others have claims beside its own, whoever has work when",
    [fc.array(busy, { maxLength: 150 })],
    (moments) => {
      const { found } = takeTurns(ClassTurns.none, moments)
      for (const each of all) {
        let waits = 0
        for (const [turn, withWork] of moments.entries()) {
          waits = found[turn] === each || !withWork.includes(each) ? 0 : waits + 1
          expect(waits).toBeLessThanOrEqual(turnsAheadMax(each))
        }
      }
    }
  )

  law(
    "a class that had no work for long gets no more than its share once it has some",
    [jobClass, busy, fc.nat(300)],
    (idle, classes, idleTurns) => {
      const others = classes.filter((each) => each !== idle)
      if (others.length === 0) return
      const { turns } = takeTurns(ClassTurns.none, always(idleTurns, others))
      const wanting = [idle, ...others]
      const { found } = takeTurns(turns, always(total(wanting), wanting))
      expect(countOf(found, idle)).toBeLessThanOrEqual(classWeights[idle] + 1)
      // nor does it pay for having had none
      expect(countOf(found, idle)).toBeGreaterThanOrEqual(classWeights[idle] - 1)
    }
  )
})
