/** Do the examples with actors of their own run as they say, and may they run twice? */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFile } from "node:child_process"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import * as NatsServer from "../support/NatsServer.ts"

const run = (example: string, servers: string) =>
  Effect.promise(async () => {
    const file = fileURLToPath(new URL(`../../examples/${example}`, import.meta.url))
    const { stdout } = await promisify(execFile)(process.execPath, ["--conditions=seamless-source", file, servers])
    return stdout
  })

describe("examples", () => {
  it.live("counter.ts counts each operation once, and goes on where it was", () =>
    Effect.gen(function* () {
      const { url } = yield* NatsServer.start()
      assert.include(yield* run("counter.ts", url), "counted to 1, and still 1")
      const second = yield* run("counter.ts", url)
      assert.include(second, "counted to 2, and still 2")
      assert.include(second, "too much: Full; the count is 2")
    })
  )

  it.live("strategy.ts buys when the averages cross, and sells when they cross back", () =>
    Effect.gen(function* () {
      const { url } = yield* NatsServer.start()
      const orders = yield* run("strategy.ts", url)
      assert.match(orders, /side: 'buy', price: 12.*side: 'sell', price: 6/s)
    })
  )
})
