/** Does a seed give the same run wherever it is run, and is every run heard of? */
import { assert, describe, it } from "vitest"
import { inTurns, type Run, runBatch } from "./Seeds.ts"

const runOf = async (seed: number): Promise<Run> => {
  const runs: Array<Run> = []
  await runBatch({ from: seed, count: 1 }, (run) => runs.push(run))
  assert.lengthOf(runs, 1)
  return runs[0]!
}

describe("runBatch()", () => {
  it(
    "runBatch() gives seed 1 a verdict without problems, the same in another process",
    { timeout: 60_000 },
    async () => {
      const [first, again] = await Promise.all([runOf(1), runOf(1)])
      assert.strictEqual(first.seed, 1)
      assert.deepStrictEqual(first.problems, [])
      assert.match(first.hash, /^[0-9a-f]{8}$/)
      assert.strictEqual(again.hash, first.hash)
      assert.deepStrictEqual(again.counts, first.counts)
      // something did happen
      for (const name of ["steps", "stored", "operations", "answered", "pages"]) {
        assert.isAbove(first.counts[name] ?? 0, 0, name)
      }
    }
  )
})

describe("inTurns()", () => {
  it("inTurns() does each task once, so many at a time", async () => {
    const begun: Array<number> = []
    let [running, runningMax] = [0, 0]
    const tasks = Array.from({ length: 10 }, (_, number) => async () => {
      begun.push(number)
      running += 1
      runningMax = Math.max(runningMax, running)
      await Promise.resolve()
      running -= 1
    })
    await inTurns(tasks, 3)
    assert.deepStrictEqual(
      begun,
      Array.from({ length: 10 }, (_, number) => number)
    )
    assert.strictEqual(runningMax, 3)
  })
})
