/** Do all processes together keep to an account's budget, and learn why they have to wait? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Option } from "effect"
import { TestClock } from "effect/testing"
import { accountActor } from "../../../actors/budget/AccountActor.ts"
import { accountsOf } from "../../../actors/budget/AccountTerms.ts"
import * as UpstreamClient from "../../../actors/budget/UpstreamClient.ts"
import type { JobClass } from "../../../protocol/history/BackfillJob.ts"
import { type Outcome, permitMessage, Upstream } from "../../../protocol/messages/Upstream.ts"
import type { Configuration } from "../../../protocol/Settings.ts"
import * as ActorSubject from "../../../protocol/wire/ActorSubject.ts"
import * as Codec from "../../../protocol/wire/Codec.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import { keySubject } from "../../../protocol/wire/StreamSpec.ts"
import type { ActorType } from "../../../runtime/Actor.ts"
import { layerLocal } from "../../../runtime/ActorSystem.ts"
import { monotonicMs, withBudget } from "../../../runtime/Deadline.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { Mesh } from "../../../runtime/Mesh.ts"

const exchange = { kind: "exchange", exchange: "binance" } as const

const configuration: Configuration = {
  sources: {
    limited: { ...exchange, account: "main", concurrency: 8, breakerFailures: 3 },
    other: { ...exchange, account: "main" },
    free: exchange
  },
  accounts: { main: { requestsPerMinute: 62, burst: 1, concurrency: 8 } },
  series: [{ node: "a", intervals: ["1m"], sources: ["limited"], symbol: "A" }]
}

/** A minute counts for 62 seconds. */
const slotMs = 1000

const actor = accountActor(accountsOf(configuration))

const system = (types: ReadonlyArray<ActorType>) => Layer.provideMerge(layerLocal(types), MemoryMesh.layer)

const services = (types: ReadonlyArray<ActorType> = [actor]) =>
  Layer.provideMerge(UpstreamClient.layer(configuration), system(types))

const wish = (source: string, jobClass: JobClass = "bulk") => ({ source, jobClass, series: "a", patienceMs: 30_000 })

const permit = (source: string, jobClass?: JobClass) =>
  Effect.flatMap(Upstream, (each) => each.permit(wish(source, jobClass)))

/** Sends one request that ends so, and gives when it was sent. */
const send = Effect.fnUntraced(function* (source: string, outcome: Outcome = { _tag: "Answered" }) {
  const upstream = yield* Upstream
  const given = yield* permit(source)
  const atMs = yield* monotonicMs
  yield* upstream.report(given, outcome)
  return atMs
})

/** Lets time go by in small steps, so that those who ask again meet each other. */
const pass = (ms: number) => Effect.repeat(TestClock.adjust("10 millis"), { times: ms / 10 - 1 })

const recordOf = (account: string) =>
  Effect.gen(function* () {
    const mesh = yield* Mesh
    const subject = keySubject(Stream.actors, ActorSubject.actorKey({ type: "upstream", key: account }))
    const stored = yield* mesh.read(Stream.actors.name, subject)
    return Option.getOrThrow(Codec.fromJson(Option.getOrThrow(Option.getOrThrow(stored).value))) as {
      readonly state: { readonly granted: number; readonly inFlight: ReadonlyArray<unknown> }
    }
  })

const failed: Outcome = { _tag: "Failed", reason: "no answer" }

describe("permit()", () => {
  it.effect("is given in turn to all processes together, each slot to one, and saved before it is given", () =>
    Effect.gen(function* () {
      const hosts = yield* Effect.all(
        [0, 1, 2].map(() => Layer.build(Layer.fresh(UpstreamClient.layer(configuration))))
      )
      const sendings = yield* Effect.forEach(hosts, (host) =>
        Effect.forkChild(Effect.provide(Effect.replicateEffect(send("limited"), 3), host))
      )
      yield* pass(9.5 * slotMs)
      const times = (yield* Effect.forEach(sendings, Fiber.join)).flat().toSorted((a, b) => a - b)
      assert.lengthOf(times, 9)
      for (const [index, atMs] of times.entries()) assert.closeTo(atMs - times[0]!, index * slotMs, 50)
      assert.isAtLeast(times[0]!, slotMs)
      assert.strictEqual((yield* recordOf("main")).state.granted, 9)
    }).pipe(Effect.provide(system([actor])), Effect.scoped)
  )

  it.effect("is given at once where there is no limit, and nothing is written for it", () =>
    Effect.gen(function* () {
      const times = yield* Effect.replicateEffect(send("free"), 20)
      assert.strictEqual(new Set(times).size, 1)
      assert.strictEqual((yield* recordOf("free")).state.granted, 0)
    }).pipe(Effect.provide(services()))
  )

  it.effect("goes to an interactive request before bulk ones that came first", () =>
    Effect.gen(function* () {
      const order: Array<string> = []
      const want = (jobClass: JobClass) => Effect.map(permit("limited", jobClass), () => void order.push(jobClass))
      for (let index = 0; index < 3; index++) yield* Effect.forkChild(want("bulk"), { startImmediately: true })
      yield* pass(100)
      yield* Effect.forkChild(want("interactive"), { startImmediately: true })
      yield* pass(5 * slotMs)
      assert.strictEqual(order.indexOf("interactive"), 0)
      assert.lengthOf(order, 4)
    }).pipe(Effect.provide(services()))
  )

  it.effect("is an error at once where it can't be had in the asker's time, and the place is free for others", () =>
    Effect.gen(function* () {
      const late = yield* Effect.flip(withBudget(500)(permit("limited")))
      assert.deepInclude(late, { _tag: "PermitLate", account: "main", because: "turn" })
      assert.strictEqual(yield* monotonicMs, 0)
      const { standings } = yield* Upstream
      assert.strictEqual((yield* standings).accounts[0]?.waiting.bulk, 0)
    }).pipe(Effect.provide(services()))
  )

  it.effect("is waited for by nobody who was interrupted", () =>
    Effect.gen(function* () {
      const waiting = yield* Effect.forkChild(permit("limited"), { startImmediately: true })
      yield* Effect.yieldNow
      const { standings } = yield* Upstream
      assert.strictEqual((yield* standings).accounts[0]?.waiting.bulk, 1)
      yield* Fiber.interrupt(waiting)
      assert.strictEqual((yield* standings).accounts[0]?.waiting.bulk, 0)
    }).pipe(Effect.provide(services()))
  )

  it.effect("is an error where the account's actor can't be reached", () =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(permit("limited"))
      assert.deepInclude(failure, { _tag: "BudgetUnreachable", account: "main" })
      const { standings } = yield* Upstream
      assert.deepStrictEqual((yield* standings).silent, ["main", "free"])
    }).pipe(Effect.provide(services([])))
  )
})

describe("report()", () => {
  it.effect("of a refusal holds every process back, and an asker that has no patience is told at once", () =>
    Effect.gen(function* () {
      const [one, two] = yield* Effect.all(
        [0, 1].map(() => Layer.build(Layer.fresh(UpstreamClient.layer(configuration))))
      )
      const first = yield* Effect.forkChild(
        Effect.provide(send("limited", { _tag: "Refused", retryAfterMs: 20_000 }), one!)
      )
      yield* pass(2 * slotMs)
      const refusedAtMs = yield* Fiber.join(first)
      const second = yield* Effect.forkChild(Effect.provide(send("other"), two!))
      yield* pass(25_000)
      assert.closeTo((yield* Fiber.join(second)) - refusedAtMs, 20_000 + slotMs, 50)

      const third = yield* Effect.forkChild(
        Effect.provide(send("limited", { _tag: "Refused", retryAfterMs: 60_000 }), one!)
      )
      yield* pass(2 * slotMs)
      yield* Fiber.join(third)
      const late = yield* Effect.flip(Effect.provide(permit("other"), two!))
      assert.deepInclude(late, { _tag: "PermitLate", because: "coolDown" })
    }).pipe(Effect.provide(system([actor])), Effect.scoped)
  )

  it.effect("of failures in a row has the source left alone by every process, until one request succeeds", () =>
    Effect.gen(function* () {
      const [one, two] = yield* Effect.all(
        [0, 1].map(() => Layer.build(Layer.fresh(UpstreamClient.layer(configuration))))
      )
      const failing = yield* Effect.forkChild(Effect.provide(Effect.replicateEffect(send("limited", failed), 3), one!))
      yield* pass(4 * slotMs)
      yield* Fiber.join(failing)
      yield* TestClock.adjust("1 minute")
      const trial = yield* Effect.provide(permit("limited"), one!)
      const open = yield* Effect.flip(Effect.provide(permit("limited"), two!))
      assert.deepInclude(open, { _tag: "CircuitOpen", source: "limited", failures: 3, reason: "no answer" })
      const upstream = yield* Effect.provide(Upstream, one!)
      yield* upstream.report(trial, { _tag: "Answered" })
      const again = yield* Effect.forkChild(Effect.provide(send("limited"), two!))
      yield* pass(2 * slotMs)
      yield* Fiber.join(again)
    }).pipe(Effect.provide(system([actor])), Effect.scoped)
  )
})

describe("accountActor", () => {
  const incoming = (ticket: string) => ({
    id: ticket,
    message: permitMessage.name,
    payload: { ticket, asker: "host", source: "limited", jobClass: "bulk", series: "a", weight: 1 },
    cause: "",
    traceParent: "",
    ageMs: 0,
    deadlineMs: 1e9,
    budgetMs: 60_000
  })

  const activate = (slotEpoch: number) =>
    actor.activate({ address: { type: "upstream", key: "main" }, owner: `owner ${slotEpoch}`, slot: "3", slotEpoch })

  it.effect("an activation that was replaced gives nothing more, and the next one begins with nothing to spend", () =>
    Effect.gen(function* () {
      const first = yield* activate(1)
      yield* TestClock.adjust("10 minutes")
      const second = yield* activate(2)
      const fenced = yield* Effect.flip(first.handle([incoming("a")]))
      assert.strictEqual(fenced._tag, "Fenced")
      const told = yield* second.handle([incoming("b")])
      assert.deepInclude(told, { body: { _tag: "Wait", retryAfterMs: slotMs, because: "turn" } })
      yield* TestClock.adjust(slotMs)
      assert.deepInclude(yield* second.handle([incoming("b")]), { body: { _tag: "Granted", ageMs: 0 } })
    }).pipe(Effect.provide(MemoryMesh.layer), Effect.scoped)
  )

  it.effect("an account that no source has is nobody's", () =>
    Effect.gen(function* () {
      const address = { type: "upstream", key: "nobody" }
      const failure = yield* Effect.flip(actor.activate({ address, owner: "me", slot: "3", slotEpoch: 1 }))
      assert.strictEqual(failure._tag, "MalformedMessage")
    }).pipe(Effect.provide(MemoryMesh.layer), Effect.scoped)
  )
})
