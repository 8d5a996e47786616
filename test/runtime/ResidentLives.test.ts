/** Do the actors of a process stay within their bounds, and does each message end once, whatever comes in between? */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Layer, Logger, Schedule } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import { Fenced, MalformedMessage } from "../../protocol/wire/Errors.ts"
import type { ActorType } from "../../runtime/Actor.ts"
import * as Invariants from "../../runtime/Invariants.ts"
import { unshared } from "../../runtime/Tenure.ts"
import { makeActors, oneByOne, settle, wordOf } from "../support/residentPorts.ts"

/** Actors that hold 10 bytes each; one hangs upon `hang` until it is opened. */
const makeHolders = Effect.gen(function* () {
  const open = yield* Deferred.make<void>()
  const type = oneByOne(
    "holder",
    ({ message }) => (message === "hang" ? Effect.as(Deferred.await(open), { body: 0 }) : Effect.succeed({ body: 1 })),
    { behavior: { bytes: () => 10 } }
  )
  return { open, type }
})

describe("bounds", () => {
  it.effect("receive() beyond residentsMax puts the least recently used to sleep", () =>
    Effect.gen(function* () {
      const { type } = yield* makeHolders
      const { figures, report, send } = yield* makeActors(type, { residentsMax: 3 })
      for (const key of ["a", "b", "c", "a", "d"]) {
        send({ id: `${key}-1`, key })
        yield* settle
      }
      assert.deepStrictEqual(
        report().map(({ key }) => key),
        ["c", "a", "d"]
      )
      assert.strictEqual(figures().residentBytes, 30)
      assert.strictEqual(figures().counts.passivations, 1)
    })
  )

  it.effect("receive() beyond residentsMax never stops an actor that is busy or has something waiting", () =>
    Effect.gen(function* () {
      const { open, type } = yield* makeHolders
      const { figures, send } = yield* makeActors(type, { residentsMax: 2 })
      const replies = ["a", "b", "c", "d"].flatMap((key) => [
        send({ id: `${key}-1`, key, message: "hang" }),
        send({ id: `${key}-2`, key })
      ])
      yield* settle
      assert.strictEqual(figures().residents, 4)
      yield* Deferred.succeed(open, undefined)
      yield* settle
      assert.deepStrictEqual(
        replies.map((each) => each.map(wordOf)),
        ["a", "b", "c", "d"].flatMap(() => [[0], [1]])
      )
      yield* TestClock.adjust("1 second")
      assert.strictEqual(figures().residents, 2)
    })
  )

  it.effect("handling beyond residentBytesMax puts the least recently used to sleep, and one may always live", () =>
    Effect.gen(function* () {
      const { type } = yield* makeHolders
      const few = yield* makeActors(type, { residentBytesMax: 25 })
      for (const key of ["a", "b", "c"]) {
        few.send({ id: `${key}-1`, key })
        yield* settle
      }
      assert.deepStrictEqual(
        few.report().map(({ key }) => key),
        ["b", "c"]
      )
      assert.strictEqual(few.figures().residentBytes, 20)
      const none = yield* makeActors(type, { residentBytesMax: 5 })
      const replies = none.send({ id: "1" })
      yield* settle
      assert.deepStrictEqual(replies.map(wordOf), [1])
      assert.strictEqual(none.figures().residents, 1)
    })
  )

  it.effect("wake() wakes an actor that sleeps, once however often it is called", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const { residents } = yield* makeActors(
        oneByOne("holder", ({ message }) => Effect.sync(() => ({ body: seen.push(message) })))
      )
      const to = { type: "holder", key: "a" }
      residents.wake(to, unshared)
      yield* settle
      assert.deepStrictEqual(seen, ["$wake"])
      residents.wake({ type: "nobody", key: "a" }, unshared)
      assert.strictEqual(residents.figures().residents, 1)
    })
  )
})

/** A type whose activations fail on the spot. */
const failing = (error: Fenced | MalformedMessage): ActorType<never> => ({
  name: "failing",
  activate: () => Effect.fail(error)
})

describe("an activation that fails on the spot", () => {
  it.effect.each([
    { error: new Fenced({ key: "failing.a", epoch: 1 }), word: "ActorUnavailable", residents: 0 },
    { error: new MalformedMessage({ what: "state", problem: "none" }), word: "ActorStopped", residents: 1 }
  ])("the message that started it is answered once, with $word", ({ error, residents, word }) =>
    Effect.gen(function* () {
      const { figures, heard, send } = yield* makeActors(failing(error))
      const asked = [send({ id: "1" }), send({ id: "1" }), send({ id: "2", key: "b" })]
      const told = send({ id: "3", key: "c", settle: "s" })
      yield* settle
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(
        asked.map((each) => each.map(wordOf)),
        [[word], [word], [word]]
      )
      // what was taken is sent on or settled, once, where it was not refused in the first place
      const ends = [...heard.forwarded.map(({ id }) => id), ...heard.settled.map(({ id }) => id)]
      const [first, ...more] = told.map(wordOf)
      assert.deepStrictEqual(more, [])
      assert.deepStrictEqual(ends, first === "accepted by host" ? ["3"] : [])
      assert.strictEqual(figures().mailboxMessages, 0)
      assert.isAtMost(figures().residents, residents * 3)
      const later = send({ id: "4" })
      yield* settle
      assert.deepStrictEqual(later.map(wordOf), [word])
    }).pipe(Effect.provide(Logger.layer([])))
  )

  it.effect("wake() of it leaves nothing behind that a message would wait for", () =>
    Effect.gen(function* () {
      const { residents, send } = yield* makeActors(failing(new Fenced({ key: "failing.a", epoch: 1 })))
      residents.wake({ type: "failing", key: "a" }, unshared)
      yield* settle
      assert.strictEqual(residents.figures().residents, 0)
      const reply = send({ id: "1" })
      yield* settle
      assert.deepStrictEqual(reply.map(wordOf), ["ActorUnavailable"])
    }).pipe(Effect.provide(Logger.layer([])))
  )
})

type Event =
  | {
      readonly event: "send"
      readonly key: number
      readonly message: string
      readonly told: boolean
      readonly ms: number
    }
  | { readonly event: "drop" | "handOver" | "open" | "invalid" | "valid" }
  | { readonly event: "elapse"; readonly ms: number }

const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      event: fc.constant("send" as const),
      key: fc.nat(2),
      message: fc.constantFrom("echo", "echo", "hang", "die", "fence", "refuse"),
      told: fc.boolean(),
      ms: fc.constantFrom(50, 500, 60_000)
    })
  },
  { weight: 2, arbitrary: fc.record({ event: fc.constantFrom("open" as const, "drop" as const) }) },
  { weight: 1, arbitrary: fc.record({ event: fc.constantFrom("handOver" as const) }) },
  { weight: 1, arbitrary: fc.record({ event: fc.constantFrom("invalid" as const, "valid" as const) }) },
  { weight: 2, arbitrary: fc.record({ event: fc.constant("elapse" as const), ms: fc.constantFrom(40, 200, 2000) }) }
)

/** A type that does all that may go wrong, with a gate for those that hang and one for the tenure. */
const makeWild = () => {
  const waiting = new Set<() => void>()
  const tenureWaiting = new Set<() => void>()
  let valid = true
  const gate = (set: Set<() => void>) =>
    Effect.callback<void>((resume) => {
      const go = () => resume(Effect.void)
      set.add(go)
      return Effect.sync(() => void set.delete(go))
    })
  const openAll = (set: Set<() => void>) => {
    for (const go of set) go()
    set.clear()
  }
  const type = oneByOne(
    "wild",
    ({ message }, life) => {
      if (message === "hang") return Effect.as(gate(waiting), { body: 0 })
      if (message === "die") return Effect.die(new Error("fire"))
      if (message === "refuse") return Effect.succeed({ failed: { reason: "no", trace: "" } })
      if (message === "fence") return Effect.fail(new Fenced({ key: "wild", epoch: life }))
      return Effect.succeed({ body: 1 })
    },
    { mailboxMax: 3, restart: Schedule.upTo(Schedule.spaced("100 millis"), { times: 1 }) }
  )
  return {
    type,
    tenure: { ...unshared, slot: "7", isValid: () => valid, untilValid: gate(tenureWaiting) },
    open: () => openAll(waiting),
    setValid: (to: boolean) => {
      valid = to
      if (to) openAll(tenureWaiting)
    }
  }
}

/** What one run of events comes to, when everything that hangs has been let go. */
const outcomeOf = (events: ReadonlyArray<Event>) =>
  Effect.gen(function* () {
    const wild = makeWild()
    const actors = yield* makeActors(wild.type, { residentsMax: 2 })
    const sent: Array<{ readonly replies: ReadonlyArray<unknown>; readonly told: boolean; readonly id: string }> = []
    const doEvent = Effect.fnUntraced(function* (one: Event) {
      if (one.event === "send") {
        const id = `m${sent.length}`
        const settle = one.told ? { settle: "s" } : {}
        const { message, ms: budgetMs } = one
        const sending = { id, message, key: String(one.key), budgetMs, tenure: wild.tenure, ...settle }
        sent.push({ id, told: one.told, replies: actors.send(sending) })
      } else if (one.event === "elapse") yield* TestClock.adjust(one.ms)
      else if (one.event === "open") wild.open()
      else if (one.event === "drop") yield* actors.drop("7")
      else if (one.event === "handOver") yield* Effect.forkChild(actors.handOver("7", 300), { startImmediately: true })
      else wild.setValid(one.event === "valid")
    })
    yield* Effect.forEach(events, doEvent)
    wild.setValid(true)
    for (let round = 0; round < 4; round++) {
      wild.open()
      yield* TestClock.adjust("1 second")
      wild.open()
      yield* settle
    }
    return { actors, sent }
  }).pipe(Effect.scoped, Effect.provide(Layer.merge(TestClock.layer(), Logger.layer([]))))

const isAccepted = (reply: unknown) => typeof reply === "object" && reply !== null && "accepted" in reply

describe("any sequence of arrivals and ends", () => {
  it("every arrival is answered once, what is taken ends once, and the counts add up", () =>
    fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 25 }), async (events) => {
        const violations = Invariants.make()
        const run = Effect.provideService(outcomeOf(events), Invariants.Invariants, violations)
        const { actors, sent } = await Effect.runPromise(run)
        // of actors that hang there may well be too many for a while
        assert.doesNotHaveAnyKeys({ ...violations.counts(), none: 0 }, ["endedOnce", "startedInTime"])
        for (const { id, replies } of sent) assert.lengthOf(replies, 1, id)
        const taken = sent.filter(({ replies, told }) => told && isAccepted(replies[0]))
        const ends = [...actors.heard.settled.map(({ id }) => id), ...actors.heard.forwarded.map(({ id }) => id)]
        assert.deepStrictEqual(
          ends.toSorted(),
          taken.map(({ id }) => id).toSorted(),
          "what was told and taken is settled or sent on, once"
        )
        const { deadLettered, expired, handled, rejected } = actors.figures().counts
        const counted = handled + rejected + expired + deadLettered + actors.heard.forwarded.length
        assert.strictEqual(counted, sent.length)
        assert.strictEqual(actors.figures().mailboxMessages, 0)
      }),
      { numRuns: 300 }
    ))
})
