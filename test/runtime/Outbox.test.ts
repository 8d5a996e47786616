/** Does what actors send in passing get out in order, within bounds, and past what breaks? */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Scope } from "effect"
import { makeOutbox, type Posted } from "../../runtime/Outbox.ts"
import { settle } from "../support/residentPorts.ts"

const posted = (key: string, payload: unknown): Posted => ({
  to: { type: "t", key },
  label: "",
  body: { message: "m", payload },
  cause: ""
})

describe("post()", () => {
  it.effect("post() sends to each receiver in order, one at a time, and waits for no other receiver", () =>
    Effect.gen(function* () {
      const open = yield* Deferred.make<void>()
      const sent: Array<unknown> = []
      const { post } = yield* makeOutbox(({ body, to }) =>
        Effect.gen(function* () {
          if (to.key === "slow") yield* Deferred.await(open)
          yield* Effect.yieldNow
          sent.push(`${to.key} ${String(body.payload)}`)
        })
      )
      for (const n of [1, 2, 3]) for (const key of ["slow", "fast"]) assert.isTrue(post(posted(key, n)))
      yield* settle
      assert.deepStrictEqual(sent, ["fast 1", "fast 2", "fast 3"])
      yield* Deferred.succeed(open, undefined)
      yield* settle
      assert.deepStrictEqual(sent.slice(3), ["slow 1", "slow 2", "slow 3"])
      post(posted("slow", 4))
      yield* settle
      assert.strictEqual(sent.at(-1), "slow 4")
    })
  )

  it.effect("post() has no room beyond its bound, and again when something has been sent", () =>
    Effect.gen(function* () {
      const open = yield* Deferred.make<void>()
      const seen = { sent: 0, taken: 0 }
      const { post } = yield* makeOutbox(() =>
        Effect.andThen(
          Deferred.await(open),
          Effect.sync(() => void seen.sent++)
        )
      )
      while (post(posted(String(seen.taken % 70), seen.taken))) seen.taken += 1
      assert.strictEqual(seen.taken, 10_000)
      yield* Deferred.succeed(open, undefined)
      while (seen.sent < seen.taken) yield* Effect.yieldNow
      assert.isTrue(post(posted("a", 0)))
    })
  )

  it.effect("post() to a receiver that takes nothing leaves room for the others", () =>
    Effect.gen(function* () {
      const open = yield* Deferred.make<void>()
      const { post } = yield* makeOutbox(({ to }) => (to.key === "gone" ? Deferred.await(open) : Effect.void))
      let taken = 0
      while (post(posted("gone", taken))) taken += 1
      const isTold = post(posted("there", 0))
      yield* Deferred.succeed(open, undefined)
      yield* settle
      // these wait behind the one that is being sent
      assert.deepStrictEqual([taken, isTold], [1001, true])
    })
  )

  it.effect("post() of one upon which sending breaks does not hold up those behind it", () =>
    Effect.gen(function* () {
      const sent: Array<unknown> = []
      const { post } = yield* makeOutbox(({ body }) =>
        body.payload === 1 ? Effect.die(new Error("broken")) : Effect.sync(() => void sent.push(body.payload))
      )
      for (const n of [0, 1, 2]) post(posted("a", n))
      yield* settle
      post(posted("a", 3))
      yield* settle
      assert.deepStrictEqual(sent, [0, 2, 3])
    })
  )

  it.effect("what waits is sent before the outbox ends", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const sent: Array<unknown> = []
      const { post } = yield* Scope.provide(
        makeOutbox(({ body }) =>
          Effect.andThen(
            Effect.yieldNow,
            Effect.sync(() => void sent.push(body.payload))
          )
        ),
        scope
      )
      for (const n of [0, 1, 2]) post(posted("a", n))
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(sent, [0, 1, 2])
    })
  )
})
