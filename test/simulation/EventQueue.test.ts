/** Do events come in the order of their times, and of those at one moment in the order in which they were added? */
import * as fc from "fast-check"
import { assert, describe } from "vitest"
import { law } from "../support/law.ts"
import { EventQueue } from "./EventQueue.ts"

/** What is added and not taken: the same as an unsorted list. */
interface Waiting {
  readonly atMs: number
  readonly name: number
}

/** The first of the earliest. */
const next = (waiting: ReadonlyArray<Waiting>): Waiting | undefined =>
  waiting.reduce<Waiting | undefined>(
    (first, one) => (first === undefined || one.atMs < first.atMs ? one : first),
    undefined
  )

/** An event's time, or null where one is taken; few times, so that many events share theirs. */
const moves = fc.array(fc.oneof(fc.constant(null), fc.nat({ max: 6 })), { maxLength: 60 })

describe("EventQueue", () => {
  law("take() gives the earliest event, and of those at one moment the one that was added first", [moves], (drawn) => {
    const queue = new EventQueue()
    const waiting: Array<Waiting> = []
    const taken: Array<number> = []
    const expected: Array<number> = []
    const takeOne = (): void => {
      queue.take()?.run()
      const first = next(waiting)
      if (first !== undefined) expected.push(waiting.splice(waiting.indexOf(first), 1)[0]!.name)
    }
    for (const [name, atMs] of drawn.entries()) {
      if (atMs === null) takeOne()
      else {
        queue.add(atMs, () => taken.push(name))
        waiting.push({ atMs, name })
      }
      assert.strictEqual(queue.size, waiting.length)
      assert.strictEqual(queue.nextAtMs(), next(waiting)?.atMs ?? Infinity)
    }
    while (waiting.length > 0) takeOne()
    assert.deepStrictEqual(taken, expected)
    assert.isUndefined(queue.take())
  })
})
