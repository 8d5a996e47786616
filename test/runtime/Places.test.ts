/** Is what is under way counted right, of all and of each caller, and is one too many told which limit it is over? */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { makePlaces } from "../../runtime/Places.ts"

const message = (inbox: string) => ({ subject: "s", headers: new Map<string, string>(), replyTo: `_INBOX.${inbox}.1` })
const options = { limit: "answersInParts", most: 3, perCaller: 2, retryAfterMs: 700 } as const

describe("Places", () => {
  it("take() refuses a caller one too many, and all callers one too many, and takes it again when one has ended", () => {
    const places = makePlaces(options)
    const take = (inbox: string) => places.take(message(inbox))
    const first = take("a")
    assert.strictEqual(typeof first, "function")
    assert.strictEqual(typeof take("a"), "function")
    const share = {
      _tag: "TooManyRequests",
      caller: "_INBOX.a",
      requestsMax: 2,
      retryAfterMs: 700,
      limit: options.limit,
      limitMax: 2
    }
    assert.deepInclude(take("a"), share)
    assert.match(String(take("a")), /2 answers in parts of the caller _INBOX.a are under way on this host/)
    assert.strictEqual(typeof take("b"), "function")
    assert.deepInclude(take("b"), { _tag: "MailboxFull", retryAfterMs: 700, limit: options.limit, limitMax: 3 })
    assert.match(String(take("b")), /3 answers in parts are under way on this host; ask again after 700 ms/)
    if (typeof first === "function") first()
    assert.strictEqual(typeof take("a"), "function")
    assert.strictEqual(typeof take("a"), "object")
  })

  it.effect("hold() gives the place back however the work ends", () =>
    Effect.gen(function* () {
      const places = makePlaces({ ...options, perCaller: 1 })
      const held = <A, E>(work: Effect.Effect<A, E>) => Effect.scoped(Effect.andThen(places.hold(message("a")), work))
      const started = yield* Deferred.make<void>()
      yield* held(Effect.void)
      yield* Effect.exit(held(Effect.fail("refused")))
      yield* Effect.exit(held(Effect.die("broken")))
      const waiting = yield* Effect.forkChild(held(Effect.andThen(Deferred.succeed(started, undefined), Effect.never)))
      yield* Deferred.await(started)
      assert.strictEqual((yield* Effect.flip(held(Effect.void)))._tag, "TooManyRequests")
      yield* Fiber.interrupt(waiting)
      yield* held(Effect.void)
    })
  )
})
