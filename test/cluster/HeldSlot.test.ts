/** Is a slot's tenure valid exactly while its host may handle messages, and do none get lost before it begins? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Scope } from "effect"
import { hold, makePorch } from "../../cluster/HeldSlot.ts"
import type { Message } from "../../runtime/Mesh.ts"
import { sessionThat } from "./slots.ts"

/** A session that a test loses and finds. */
const makeSession = () => {
  const life = { isValid: true, stretch: 1 }
  const session = sessionThat({
    isValidNow: () => life.isValid,
    isValid: Effect.sync(() => life.isValid),
    stretch: () => life.stretch
  })
  return { life, session }
}

const record = { slot: "7", owner: "me", slotEpoch: 4, revision: 10 }

const holding = Effect.gen(function* () {
  const { life, session } = makeSession()
  const subscription = yield* Scope.make()
  return { life, slot: hold({ record, session, stretch: 1, subscription, onOutbid: () => undefined }) }
})

describe("hold()", () => {
  it.effect("hold() gives a tenure that is closed while the session is not certain, and until it's confirmed", () =>
    Effect.gen(function* () {
      const { life, slot } = yield* holding
      assert.isTrue(slot.tenure.isValid())
      life.isValid = false
      assert.isFalse(slot.tenure.isValid())
      // back, but someone else may have taken the slot
      Object.assign(life, { isValid: true, stretch: 2 })
      assert.isFalse(slot.tenure.isValid())
      slot.confirm({ ...record, revision: 12 }, 2)
      assert.isTrue(slot.tenure.isValid())
      assert.strictEqual(slot.record().revision, 12)
    })
  )

  it.effect("hold() gives a tenure that is waited for until it is confirmed in the stretch of now", () =>
    Effect.gen(function* () {
      const { life, slot } = yield* holding
      life.stretch = 3
      const waiting = yield* Effect.forkChild(slot.tenure.untilValid, { startImmediately: true })
      // the answer of a confirmation that was sent before touch was lost again
      slot.confirm(record, 2)
      yield* Effect.yieldNow
      assert.isUndefined(waiting.pollUnsafe())
      slot.confirm(record, 3)
      yield* Fiber.join(waiting)
    })
  )

  it.effect("hold() gives a tenure that never comes back once it has ended", () =>
    Effect.gen(function* () {
      const { slot } = yield* holding
      slot.end()
      slot.confirm(record, 1)
      assert.isFalse(slot.tenure.isValid())
    })
  )
})

describe("makePorch()", () => {
  const message = (subject: string): Message => ({
    subject,
    data: new Uint8Array(0),
    headers: new Map(),
    replyTo: "",
    respond: () => undefined
  })

  it("makePorch() hands on in order, first what came before it was opened", () => {
    const porch = makePorch(() => 0)
    const seen: Array<string> = []
    porch.onMessage(message("1"))
    porch.onMessage(message("2"))
    porch.open(({ subject }) => seen.push(subject))
    porch.onMessage(message("3"))
    assert.deepStrictEqual(seen, ["1", "2", "3"])
  })

  it("makePorch() says how long each message waited in it", () => {
    let nowMs = 1000
    const porch = makePorch(() => nowMs)
    const seen: Array<number> = []
    porch.onMessage(message("1"))
    nowMs += 300
    porch.onMessage(message("2"))
    nowMs += 200
    porch.open((_, waitedMs) => seen.push(waitedMs))
    porch.onMessage(message("3"))
    assert.deepStrictEqual(seen, [500, 200, 0])
  })

  it("makePorch() keeps 1,024 messages waiting at most", () => {
    const porch = makePorch(() => 0)
    for (let count = 0; count < 2000; count++) porch.onMessage(message(String(count)))
    let seen = 0
    porch.open(() => (seen += 1))
    assert.strictEqual(seen, 1024)
  })
})
