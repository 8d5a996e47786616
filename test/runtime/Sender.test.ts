/** Is each message that was sent counted once more when it has ended, however it ends? */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer, Logger } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import { type Envelope, type Undelivered } from "../../protocol/wire/Envelope.ts"
import { ActorUnavailable, DeadlineExceeded, MailboxFull, MessageDeadLettered } from "../../protocol/wire/Errors.ts"
import type { Tally } from "../../protocol/wire/HostReport.ts"
import { makeSender, type Notice } from "../../runtime/Sender.ts"
import type { Reply } from "../../runtime/Work.ts"
import { settle } from "../support/residentPorts.ts"

const to = { to: { type: "t", key: "k" }, label: "" }
const body = { message: "m", payload: null }
const address = "t/k"

const sumOf = ({ deadLettered, expired, lost, pending, rejected, replied }: Tally) =>
  deadLettered + expired + lost + pending + rejected + replied

/** A sender whose messages wait for what the test makes of them. */
const makeHeld = Effect.fnUntraced(function* (dead: ReadonlySet<string> = new Set()) {
  const held: Array<{ readonly envelope: Envelope; readonly outcome: Deferred.Deferred<Reply, Undelivered> }> = []
  const sender = yield* makeSender({
    id: "me",
    transmit: (envelope) =>
      Effect.suspend(() => {
        const outcome = Deferred.makeUnsafe<Reply, Undelivered>()
        held.push({ envelope, outcome })
        return Deferred.await(outcome)
      }),
    deadOf: () => Effect.succeed(dead)
  })
  return { held, sender }
})

const outcomes: Readonly<Record<string, Effect.Effect<Reply, Undelivered>>> = {
  body: Effect.succeed({ body: 1 }),
  error: Effect.succeed({ error: 1 }),
  accepted: Effect.succeed({ accepted: "host" }),
  acceptedByDead: Effect.succeed({ accepted: "dead" }),
  full: Effect.succeed({ undelivered: new MailboxFull({ address, retryAfterMs: 1 }) }),
  dead: Effect.succeed({ undelivered: new MessageDeadLettered({ address, id: "1", reason: "fire" }) }),
  late: Effect.fail(new DeadlineExceeded({ waitingFor: address, budgetMs: 1 })),
  away: Effect.fail(new ActorUnavailable({ address, reason: "away" })),
  broken: Effect.die(new Error("broken"))
}

type Event =
  | { readonly event: "send"; readonly told: boolean; readonly operation: number | undefined }
  | { readonly event: "end"; readonly at: number; readonly outcome: string }
  | { readonly event: "settled"; readonly at: number; readonly how: Notice["how"] }
  | { readonly event: "interrupt"; readonly at: number }
  | { readonly event: "elapse"; readonly ms: number }

const at = fc.nat(12)

const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      event: fc.constant("send" as const),
      told: fc.boolean(),
      operation: fc.option(fc.nat(1), { nil: undefined })
    })
  },
  {
    weight: 3,
    arbitrary: fc.record({ event: fc.constant("end" as const), at, outcome: fc.constantFrom(...Object.keys(outcomes)) })
  },
  {
    weight: 2,
    arbitrary: fc.record({
      event: fc.constant("settled" as const),
      at,
      how: fc.constantFrom("handled" as const, "rejected", "expired", "deadLettered", "moved")
    })
  },
  { weight: 1, arbitrary: fc.record({ event: fc.constant("interrupt" as const), at }) },
  { weight: 1, arbitrary: fc.record({ event: fc.constant("elapse" as const), ms: fc.constantFrom(500, 5000) }) }
)

const tallyOf = (events: ReadonlyArray<Event>) =>
  Effect.gen(function* () {
    const { held, sender } = yield* makeHeld(new Set(["dead"]))
    const fibers: Array<Fiber.Fiber<unknown, unknown>> = []
    const tallies: Array<Tally> = []
    for (const one of events) {
      if (one.event === "send") {
        const options = one.operation === undefined ? {} : { operationId: `op-${one.operation}` }
        const sending = one.told ? sender.tell(to, body, options) : sender.deliver(to, body, options)
        fibers.push(yield* Effect.forkChild(Effect.exit(sending), { startImmediately: true }))
      } else if (one.event === "end") {
        const target = held[one.at]
        if (target !== undefined) yield* Deferred.complete(target.outcome, outcomes[one.outcome]!)
      } else if (one.event === "settled") sender.settled({ id: held[one.at]?.envelope.id ?? "none", how: one.how })
      else if (one.event === "elapse") yield* TestClock.adjust(one.ms)
      else if (fibers[one.at] !== undefined) yield* Fiber.interrupt(fibers[one.at]!)
      yield* Effect.yieldNow
      tallies.push(sender.tally())
    }
    for (const { outcome } of held) yield* Deferred.complete(outcome, outcomes["accepted"]!)
    yield* settle
    yield* TestClock.adjust("2 minutes")
    return { tallies, last: sender.tally(), sends: fibers.length }
  }).pipe(Effect.scoped, Effect.provide(Layer.merge(TestClock.layer(), Logger.layer([]))))

describe("tally()", () => {
  it("tally() adds up at any time, and nothing is pending in the end", () =>
    fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 30 }), async (events) => {
        const { last, sends, tallies } = await Effect.runPromise(tallyOf(events))
        for (const tally of tallies) assert.strictEqual(sumOf(tally), tally.sent)
        assert.strictEqual(last.sent, sends)
        assert.strictEqual(sumOf(last), last.sent)
        assert.strictEqual(last.pending, 0)
      }),
      { numRuns: 300 }
    ))

  it.effect("tell() that is accepted is pending until its host has told how it ended", () =>
    Effect.gen(function* () {
      const { held, sender } = yield* makeHeld()
      const telling = yield* Effect.forkChild(sender.tell(to, body), { startImmediately: true })
      const [{ envelope, outcome }] = [held[0]!]
      assert.strictEqual(envelope.settle, "me")
      yield* Deferred.succeed(outcome, { accepted: "host" })
      yield* Fiber.join(telling)
      assert.deepInclude(sender.tally(), { sent: 1, pending: 1 })
      sender.settled({ id: envelope.id, how: "moved", accepted: "other" })
      assert.deepInclude(sender.tally(), { sent: 1, pending: 1 })
      sender.settled({ id: envelope.id, how: "handled" })
      sender.settled({ id: envelope.id, how: "rejected" })
      assert.deepInclude(sender.tally(), { sent: 1, replied: 1, rejected: 0, pending: 0 })
    })
  )

  it.effect("tell() of one operation twice at a time ends twice", () =>
    Effect.gen(function* () {
      const { held, sender } = yield* makeHeld()
      const options = { operationId: "op" }
      yield* Effect.forkChild(sender.tell(to, body, options), { startImmediately: true })
      const second = yield* Effect.forkChild(Effect.exit(sender.tell(to, body, options)), { startImmediately: true })
      yield* Deferred.complete(held[1]!.outcome, outcomes["full"]!)
      assert.isTrue(Exit.isFailure(yield* Fiber.join(second)))
      assert.deepInclude(sender.tally(), { sent: 2, rejected: 1, pending: 1 })
      sender.settled({ id: "op", how: "handled" })
      assert.deepInclude(sender.tally(), { sent: 2, rejected: 1, replied: 1, pending: 0 })
    })
  )

  it.effect("tell() beyond what may be under way is refused, also where all is one operation", () =>
    Effect.gen(function* () {
      const sender = yield* makeSender({ id: "me", transmit: () => Effect.succeed({ accepted: "host" }) })
      const telling = sender.tell(to, body, { operationId: "op" })
      yield* Effect.repeat(telling, { times: 99_999 })
      const refused = yield* Effect.flip(telling)
      assert.strictEqual(refused._tag, "MailboxFull")
      sender.settled({ id: "op", how: "handled" })
      assert.deepInclude(sender.tally(), { sent: 100_000, replied: 100_000, pending: 0 })
      yield* telling
    })
  )

  it.effect("tell() whose host has died is lost", () =>
    Effect.gen(function* () {
      const { held, sender } = yield* makeHeld(new Set(["dead"]))
      const telling = yield* Effect.forkChild(sender.tell(to, body), { startImmediately: true })
      yield* Deferred.succeed(held[0]!.outcome, { accepted: "dead" })
      yield* Fiber.join(telling)
      yield* TestClock.adjust("1 second")
      assert.deepInclude(sender.tally(), { sent: 1, lost: 1, pending: 0 })
    })
  )
})
