/** Does a probe learn how the host is? */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { serveHealth } from "../../bin/serveHealth.ts"
import type { HostState } from "../../protocol/wire/HostReport.ts"

const loopback = { host: "127.0.0.1", port: 0, hostId: "a" }

const statusOf = (state: () => HostState, reason = "") => ({ state, reason: () => reason, draining: Effect.never })

const get = (url: string, method = "GET") =>
  Effect.promise(async () => {
    const response = await fetch(url, { method })
    return { code: response.status, body: await response.json().catch(() => undefined) }
  })

describe("serveHealth", () => {
  it.live("serveHealth() answers 200 as long as the host serves or drains, and 503 otherwise", () =>
    Effect.gen(function* () {
      let state: HostState = "serving"
      const url = yield* serveHealth(
        statusOf(() => state),
        loopback
      )
      assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/health$/)
      assert.deepStrictEqual(yield* get(url), { code: 200, body: { status: "ok", hostId: "a" } })
      state = "draining"
      assert.deepStrictEqual(yield* get(url), { code: 200, body: { status: "draining", hostId: "a" } })
      for (state of ["drained", "suspended"] as const) assert.strictEqual((yield* get(url)).code, 503)
    }).pipe(Effect.scoped)
  )

  it.live("serveHealth() gives the reason", () =>
    Effect.gen(function* () {
      const url = yield* serveHealth(
        statusOf(() => "suspended", "no touch"),
        loopback
      )
      const { body } = yield* get(url)
      assert.deepStrictEqual(body, { status: "suspended", reason: "no touch", hostId: "a" })
    }).pipe(Effect.scoped)
  )

  it.live("serveHealth() has one path, which is only to be read", () =>
    Effect.gen(function* () {
      const url = yield* serveHealth(
        statusOf(() => "serving"),
        loopback
      )
      assert.strictEqual((yield* get(new URL("/", url).href)).code, 404)
      assert.strictEqual((yield* get(`${url}?from=probe`)).code, 200)
      assert.strictEqual((yield* get(url, "HEAD")).code, 200)
      assert.strictEqual((yield* get(url, "POST")).code, 405)
    }).pipe(Effect.scoped)
  )

  it.live("serveHealth() says that another program has the port; its own is free when the scope has ended", () =>
    Effect.gen(function* () {
      const port = yield* Effect.scoped(
        Effect.gen(function* () {
          const url = yield* serveHealth(
            statusOf(() => "serving"),
            loopback
          )
          const taken = Number(new URL(url).port)
          const second = serveHealth(
            statusOf(() => "serving"),
            { ...loopback, port: taken }
          )
          const error = yield* Effect.flip(Effect.scoped(second))
          assert.match(error.message, /another program has it; give another by --health-port/)
          return taken
        })
      )
      yield* serveHealth(
        statusOf(() => "serving"),
        { ...loopback, port }
      )
    }).pipe(Effect.scoped)
  )
})
