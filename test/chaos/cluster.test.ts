/**
 * Does a cluster of real processes keep its promises through a minute of whatever goes wrong?
 *
 * `npm run chaos` does the same for longer. The faults are random; the seed is in the title, and SEAMLESS_CHAOS_SEED
 * repeats it.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { join } from "node:path"
import process from "node:process"
import { describe as describeFigures } from "./cluster/figures.ts"
import { runChaos } from "./cluster/runChaos.ts"

const seed = Number(process.env["SEAMLESS_CHAOS_SEED"] ?? Date.now() % 1_000_000)
const logs = process.env["SEAMLESS_TEST_LOGS"]

const forMs = 60_000
// starting, recovering and judging take a minute at the most; a busy machine takes longer
const boundMs = 240_000

describe("three servers, three members and two clients under faults of each kind", () => {
  it.live(
    `keep every promise, and have all work done within 30 s after the last fault (seed ${seed})`,
    () =>
      Effect.gen(function* () {
        const out = logs === undefined ? undefined : join(logs, `cluster-${seed}`)
        const { figures, violations } = yield* runChaos({ seed, forMs, out })
        process.stdout.write(`${describeFigures(figures).join("\n")}\n`)
        assert.deepStrictEqual(violations, [])
        assert.isAbove(figures.ok, figures.operations / 2, "operations that ended well")
      }),
    boundMs
  )
})
