/** Does each class of work get its share, whoever else wants something? */
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import * as ClassTurns from "../../../actors/budget/ClassTurns.ts"
import { JobClass } from "../../../protocol/history/BackfillJob.ts"
import { classWeights } from "../../../protocol/history/classShares.ts"
import { law } from "../../support/law.ts"

const classes = JobClass.literals
const all = classes.reduce((sum, each) => sum + classWeights[each], 0)

const waitingClasses = fc.uniqueArray(fc.constantFrom(...classes), { minLength: 1 })

/** Serves one of each of the sets of classes that wait, and gives who was served. */
const serveAll = (sets: ReadonlyArray<ReadonlyArray<JobClass>>): ReadonlyArray<JobClass> => {
  let turns = ClassTurns.initial
  return sets.map((waiting) => {
    const isWaiting = (each: JobClass): boolean => waiting.includes(each)
    const next = ClassTurns.nextClass(turns, isWaiting)
    assert.isTrue(next !== undefined && waiting.includes(next))
    turns = ClassTurns.sent(turns, next!, isWaiting)
    return next!
  })
}

const countOf = (served: ReadonlyArray<JobClass>, wanted: JobClass): number =>
  served.filter((each) => each === wanted).length

/** Who is served is served whole: the share of a request that is under way is not counted against anybody. */
const few = 1

describe("ClassTurns", () => {
  it("classes that always wait are served by weight, evenly spread", () => {
    const served = serveAll(Array.from({ length: all }, () => classes))
    const letters = served.map((each) => each[0]).join("")
    assert.strictEqual(letters, "iribiriviribiri")
  })

  it("an interactive request beside bulk ones goes first at once", () => {
    const served = serveAll([...Array.from({ length: 20 }, () => ["bulk"] as const), ["bulk", "interactive"]])
    assert.strictEqual(served.at(-1), "interactive")
  })

  law(
    "those that always wait share what there is by weight",
    [waitingClasses, fc.integer({ min: 1, max: 300 })],
    (waiting, count) => {
      const served = serveAll(Array.from({ length: count }, () => waiting))
      const sum = waiting.reduce((total, each) => total + classWeights[each], 0)
      for (const each of waiting) {
        assert.closeTo(countOf(served, each), (count * classWeights[each]) / sum, few, each)
      }
    }
  )

  law(
    "a class that always waits gets its share at least, whoever comes and goes beside it",
    [fc.constantFrom(...classes), fc.array(fc.subarray([...classes]), { minLength: 1, maxLength: 300 })],
    (steady, others) => {
      const served = serveAll(others.map((each) => [...new Set([steady, ...each])]))
      assert.isAtLeast(countOf(served, steady), (others.length * classWeights[steady]) / all - few)
    }
  )

  law(
    "an interactive request waits for one other request at most, whoever else waits and whatever was before",
    [fc.array(waitingClasses, { maxLength: 200 })],
    (before) => {
      const served = serveAll([...before, classes, classes])
      assert.include(served.slice(-2), "interactive")
    }
  )
})
