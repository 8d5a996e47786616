/** Does everyone learn what became of a message, whatever becomes of its actor? */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Fiber, Schedule } from "effect"
import { TestClock } from "effect/testing"
import { Fenced, MalformedMessage, MeshUnavailable } from "../../protocol/wire/Errors.ts"
import type { ActorType } from "../../runtime/Actor.ts"
import { unshared } from "../../runtime/Tenure.ts"
import { makeActors, oneByOne, settle, wordOf } from "../support/residentPorts.ts"

/** Answers with its life; hangs on `hang` until it is opened, breaks on `die`, is fenced on `fence`. */
const makeEcho = Effect.gen(function* () {
  const open = yield* Deferred.make<void>()
  const begun: Array<string> = []
  const type = (more: Partial<ActorType<never>> = {}) =>
    oneByOne(
      "echo",
      ({ id, message }, life) => {
        begun.push(id)
        if (message === "hang") return Effect.as(Deferred.await(open), { body: life })
        if (message === "die") return Effect.die(new Error("the end"))
        if (message === "fence") return Effect.fail(new Fenced({ key: "echo.a", epoch: life }))
        if (message === "lose") return Effect.fail(new MeshUnavailable({ operation: "write", reason: "away" }))
        return Effect.succeed({ body: life })
      },
      more
    )
  return { begun, open, type, release: Deferred.succeed(open, undefined) }
})

const words = (replies: ReadonlyArray<ReadonlyArray<Parameters<typeof wordOf>[0]>>) =>
  replies.map((each) => each.map(wordOf))

describe("an actor that stops", () => {
  it.effect("drop() tells the one in hand and those behind it, and sends on what was told", () =>
    Effect.gen(function* () {
      const echo = yield* makeEcho
      const { drop, figures, heard, send } = yield* makeActors(echo.type())
      const asked = [send({ id: "1", message: "hang" }), send({ id: "2" })]
      const told = send({ id: "3", settle: "s", ageMs: 5, budgetMs: 1000 })
      const elsewhere = send({ id: "4", key: "b", tenure: { ...unshared, slot: "8" } })
      yield* settle
      yield* TestClock.adjust(100)
      yield* drop("7")
      assert.deepStrictEqual(words([...asked, told]), [
        ["ActorUnavailable"],
        ["ActorUnavailable"],
        ["accepted by host"]
      ])
      const [forwarded, ...more] = heard.forwarded
      assert.lengthOf(more, 0)
      assert.deepInclude(forwarded, { id: "3", settle: "s", ageMs: 105, budgetMs: 900 })
      assert.lengthOf(heard.settled, 0)
      assert.deepStrictEqual(words([elsewhere]), [[2]])
      assert.strictEqual(figures().residents, 1)
      const again = send({ id: "2" })
      yield* settle
      assert.deepStrictEqual(again.map(wordOf), [3])
      assert.strictEqual(figures().residents, 2)
    })
  )

  it.effect("handOver() waits for what there is to do, and loses nothing of it", () =>
    Effect.gen(function* () {
      const echo = yield* makeEcho
      const { figures, handOver, heard, send } = yield* makeActors(echo.type())
      const replies = [send({ id: "1", message: "hang" }), send({ id: "2" })]
      send({ id: "3", settle: "s" })
      const over = yield* Effect.forkChild(handOver("7", 5000), { startImmediately: true })
      yield* settle
      assert.deepStrictEqual(words(replies), [[], []])
      yield* echo.release
      yield* Fiber.join(over)
      assert.deepStrictEqual(words(replies), [[1], [1]])
      assert.deepStrictEqual(heard.settled, [{ sender: "s", id: "3", how: "handled" }])
      assert.lengthOf(heard.forwarded, 0)
      assert.strictEqual(figures().residents, 0)
    })
  )

  it.effect("handOver() that takes too long tells who waits and sends on what was told", () =>
    Effect.gen(function* () {
      const echo = yield* makeEcho
      const { handOver, heard, send } = yield* makeActors(echo.type())
      const replies = [send({ id: "1", message: "hang" }), send({ id: "2" })]
      send({ id: "3", settle: "s" })
      const over = yield* Effect.forkChild(handOver("7", 500), { startImmediately: true })
      yield* TestClock.adjust(500)
      yield* Fiber.join(over)
      assert.deepStrictEqual(words(replies), [["ActorUnavailable"], ["ActorUnavailable"]])
      assert.deepStrictEqual(
        heard.forwarded.map(({ id }) => id),
        ["3"]
      )
    })
  )

  it.effect("handOver() of an actor that breaks upon its last message does not wait any longer", () =>
    Effect.gen(function* () {
      const echo = yield* makeEcho
      const { handOver, send } = yield* makeActors(echo.type())
      const replies = send({ id: "1", message: "die" })
      yield* handOver("7", 60_000)
      assert.deepStrictEqual(replies.map(wordOf), ["MessageDeadLettered"])
    })
  )

  it.effect.each(["fence", "lose"])("an activation that stops upon %s has its messages told and sent on", (message) =>
    Effect.gen(function* () {
      const echo = yield* makeEcho
      const { figures, heard, send } = yield* makeActors(echo.type())
      const first = send({ id: "0", message: "hang" })
      const replies = [send({ id: "1", message }), send({ id: "2" })]
      send({ id: "3", settle: "s" })
      yield* echo.release
      yield* settle
      assert.deepStrictEqual(first.map(wordOf), [1])
      assert.deepStrictEqual(words(replies), [["ActorUnavailable"], ["ActorUnavailable"]])
      assert.deepStrictEqual(
        heard.forwarded.map(({ id }) => id),
        ["3"]
      )
      assert.strictEqual(figures().counts.fenced, message === "fence" ? 1 : 0)
      const next = send({ id: "4" })
      yield* settle
      assert.deepStrictEqual(next.map(wordOf), [2])
    })
  )

  it.effect("release() stops one actor when it has nothing to do", () =>
    Effect.gen(function* () {
      const echo = yield* makeEcho
      const { figures, release, send } = yield* makeActors(echo.type())
      const replies = [send({ id: "1", message: "hang" }), send({ id: "2", key: "b" })]
      const released = yield* Effect.forkChild(release({ type: "echo", key: "a" }, 5000), { startImmediately: true })
      yield* echo.release
      yield* Fiber.join(released)
      assert.deepStrictEqual(words(replies), [[2], [1]].toReversed())
      assert.strictEqual(figures().residents, 1)
    })
  )

  it.effect("receive() is refused once the scope has ended", () =>
    Effect.gen(function* () {
      const echo = yield* makeEcho
      const { send } = yield* Effect.scoped(makeActors(echo.type()))
      assert.deepStrictEqual(send({ id: "1" }).map(wordOf), ["ActorUnavailable"])
    })
  )
})

describe("a message that comes again", () => {
  it.effect("receive() of a message under way is done once, and each who waits is answered once", () =>
    Effect.gen(function* () {
      const echo = yield* makeEcho
      const { figures, send } = yield* makeActors(echo.type())
      const replies = [send({ id: "1", message: "hang" })]
      yield* settle
      replies.push(send({ id: "1", message: "hang" }), send({ id: "2" }), send({ id: "2" }))
      yield* echo.release
      yield* settle
      assert.deepStrictEqual(words(replies), [[1], [1], [1], [1]])
      assert.deepStrictEqual(echo.begun, ["1", "2"])
      assert.strictEqual(figures().counts.handled, 2)
    })
  )

  it.effect("receive() of one message more often than may wait tells the first ones, and answers the last", () =>
    Effect.gen(function* () {
      const echo = yield* makeEcho
      const { send } = yield* makeActors(echo.type())
      const replies = Array.from({ length: 11 }, () => send({ id: "1", message: "hang" }))
      yield* settle
      yield* echo.release
      yield* settle
      const gone = ["ActorUnavailable"]
      assert.deepStrictEqual(words(replies), [gone, gone, gone, ...Array.from({ length: 8 }, () => [1])])
    })
  )

  it.effect("receive() of one message that is told and asked answers the asker and settles with each teller", () =>
    Effect.gen(function* () {
      const echo = yield* makeEcho
      const { heard, send } = yield* makeActors(echo.type())
      const replies = [
        send({ id: "1", message: "hang", settle: "s" }),
        send({ id: "1", message: "hang" }),
        send({ id: "1", message: "hang", settle: "t" }),
        send({ id: "2" }),
        send({ id: "2", settle: "s" })
      ]
      yield* echo.release
      yield* settle
      const taken = ["accepted by host"]
      assert.deepStrictEqual(words(replies), [taken, [1], taken, [1], taken])
      assert.deepStrictEqual(heard.settled, [
        { sender: "s", id: "1", how: "handled" },
        { sender: "t", id: "1", how: "handled" },
        { sender: "s", id: "2", how: "handled" }
      ])
    })
  )

  it.effect("drop() of a message that is told and asked tells the asker and sends it on for each teller", () =>
    Effect.gen(function* () {
      const echo = yield* makeEcho
      const { drop, heard, send } = yield* makeActors(echo.type())
      send({ id: "1", message: "hang", settle: "s" })
      send({ id: "1", message: "hang", settle: "t" })
      const asked = send({ id: "1", message: "hang" })
      yield* drop("7")
      assert.deepStrictEqual(asked.map(wordOf), ["ActorUnavailable"])
      assert.deepStrictEqual(
        heard.forwarded.map((envelope) => envelope.settle),
        ["s", "t"]
      )
    })
  )
})

describe("supervision", () => {
  it.effect("a message upon which the actor broke is a dead letter, and the next starts another life", () =>
    Effect.gen(function* () {
      const echo = yield* makeEcho
      const { figures, heard, send } = yield* makeActors(echo.type())
      const replies = [send({ id: "1" }), send({ id: "2", message: "die" })]
      send({ id: "3", message: "die", settle: "s" })
      replies.push(send({ id: "4" }))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(words(replies), [[1], ["MessageDeadLettered"], [3]])
      assert.deepStrictEqual(heard.buried, ["2", "3"])
      assert.deepStrictEqual(heard.settled, [{ sender: "s", id: "3", how: "deadLettered" }])
      assert.deepInclude(figures().counts, { handled: 2, deadLettered: 2, activations: 3 })
    })
  )

  it.effect("a dead letter that can't be kept is told as such", () =>
    Effect.gen(function* () {
      const echo = yield* makeEcho
      const { heard, send } = yield* makeActors(echo.type())
      heard.keepsLetters = false
      const replies = [send({ id: "1", message: "die" }), send({ id: "2" })]
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(words(replies), [["ActorUnavailable"], [2]])
    })
  )

  it.effect("an actor that breaks more often than its type allows is left alone, and what waits is told", () =>
    Effect.gen(function* () {
      const echo = yield* makeEcho
      const restart = Schedule.upTo(Schedule.spaced("1 second"), { times: 1 })
      const { figures, heard, report, send } = yield* makeActors(echo.type({ restart }))
      const dying = [send({ id: "1", message: "die" }), send({ id: "2", message: "die" })]
      const behind = [send({ id: "3" }), send({ id: "4", settle: "s" })]
      yield* TestClock.adjust("1 second")
      const dead = ["MessageDeadLettered"]
      assert.deepStrictEqual(words([...dying, ...behind]), [dead, dead, ["ActorStopped"], ["accepted by host"]])
      assert.deepStrictEqual(heard.settled, [{ sender: "s", id: "4", how: "rejected" }])
      assert.deepStrictEqual(
        report().map(({ state }) => state),
        ["stopped"]
      )
      assert.deepStrictEqual(words([send({ id: "5" })]), [["ActorStopped"]])
      yield* TestClock.adjust("30 seconds")
      const later = send({ id: "6" })
      yield* settle
      assert.deepStrictEqual(later.map(wordOf), [3])
      assert.strictEqual(figures().residents, 1)
    })
  )

  it.effect("an actor that can't be read is left alone at once, and its memory is given back", () =>
    Effect.gen(function* () {
      let readable = true
      const { figures, send } = yield* makeActors({
        name: "echo",
        restart: Schedule.recurs(0),
        activate: () =>
          Effect.suspend(() =>
            readable
              ? Effect.succeed({
                  epoch: 1,
                  batchMax: 1,
                  bytes: () => 100,
                  handle: ([first]) =>
                    first?.message === "die" ? Effect.die(new Error("fire")) : Effect.succeed([{ body: 1 }])
                })
              : Effect.fail(new MalformedMessage({ what: "state", problem: "none" }))
          )
      })
      const replies = [send({ id: "1" })]
      yield* settle
      assert.strictEqual(figures().residentBytes, 100)
      readable = false
      replies.push(send({ id: "2", message: "die" }), send({ id: "3" }))
      yield* settle
      assert.deepStrictEqual(words(replies), [[1], ["MessageDeadLettered"], ["ActorStopped"]])
      assert.strictEqual(figures().residentBytes, 0)
      readable = true
      yield* TestClock.adjust("30 seconds")
      send({ id: "4" })
      yield* settle
      assert.strictEqual(figures().residentBytes, 100)
    })
  )
})

describe("a mailbox", () => {
  it.effect("receive() beyond mailboxMax is refused with a time to ask again, and what waits is handled", () =>
    Effect.gen(function* () {
      const echo = yield* makeEcho
      const { figures, send } = yield* makeActors(echo.type({ mailboxMax: 2 }))
      send({ id: "1", message: "hang" })
      yield* settle
      const waiting = [send({ id: "2" }), send({ id: "3" })]
      const [refused] = send({ id: "4" })
      assert.ok(refused !== undefined && "undelivered" in refused && refused.undelivered._tag === "MailboxFull")
      assert.isAbove(refused.undelivered.retryAfterMs, 0)
      assert.deepStrictEqual(send({ id: "5", settle: "s" }).map(wordOf), ["MailboxFull"])
      assert.strictEqual(figures().mailboxMessages, 2)
      yield* echo.release
      yield* settle
      assert.deepStrictEqual(words(waiting), [[1], [1]])
      const again = send({ id: "4" })
      yield* settle
      assert.deepStrictEqual(again.map(wordOf), [1])
    })
  )
})

describe("a tenure", () => {
  it.effect("an invalid tenure handles nothing until it is valid again, and what is too late by then never", () =>
    Effect.gen(function* () {
      const echo = yield* makeEcho
      const { figures, heard, send } = yield* makeActors(echo.type())
      const back = yield* Deferred.make<void>()
      let valid = true
      const tenure = { ...unshared, isValid: () => valid, untilValid: Deferred.await(back) }
      send({ id: "1", tenure })
      yield* settle
      valid = false
      const replies = [send({ id: "2", tenure, budgetMs: 100 }), send({ id: "3", tenure })]
      send({ id: "4", tenure, budgetMs: 100, settle: "s" })
      yield* settle
      yield* TestClock.adjust(100)
      assert.deepStrictEqual(echo.begun, ["1"])
      assert.deepStrictEqual(words(replies), [[], []])
      valid = true
      yield* Deferred.succeed(back, undefined)
      yield* settle
      assert.deepStrictEqual(words(replies), [["DeadlineExceeded"], [1]])
      assert.deepStrictEqual(echo.begun, ["1", "3"])
      assert.deepStrictEqual(heard.settled, [{ sender: "s", id: "4", how: "expired" }])
      assert.deepInclude(figures().counts, { handled: 2, expired: 2 })
    })
  )

  it.effect("an invalid tenure begins no life before it is valid again: whose the actor is may have changed", () =>
    Effect.gen(function* () {
      const echo = yield* makeEcho
      const { figures, send } = yield* makeActors(echo.type())
      const back = yield* Deferred.make<void>()
      let valid = false
      const tenure = { ...unshared, isValid: () => valid, untilValid: Deferred.await(back) }
      const reply = send({ id: "1", tenure })
      yield* settle
      assert.strictEqual(figures().counts.activations, 0)
      valid = true
      yield* Deferred.succeed(back, undefined)
      yield* settle
      assert.strictEqual(figures().counts.activations, 1)
      assert.deepStrictEqual(words([reply]), [[1]])
    })
  )

  it.effect("receive() under a new tenure replaces an actor whose tenure has ended, and tells who waits for that", () =>
    Effect.gen(function* () {
      const echo = yield* makeEcho
      const { figures, heard, report, send } = yield* makeActors(echo.type())
      const first = { valid: true, ended: false }
      const lost = {
        ...unshared,
        slot: "7",
        isValid: () => first.valid,
        untilValid: Effect.never,
        hasEnded: () => first.ended
      }
      const replies = [send({ id: "1", tenure: lost })]
      yield* settle
      first.valid = false
      replies.push(send({ id: "2", tenure: lost }))
      send({ id: "3", tenure: lost, settle: "s" })
      yield* settle
      first.ended = true
      const tenure = { ...unshared, slot: "7", slotEpoch: 2 }
      replies.push(send({ id: "4", tenure }), send({ id: "2", tenure }))
      yield* settle
      assert.deepStrictEqual(words(replies), [[1], ["ActorUnavailable"], [2], [2]])
      assert.deepStrictEqual(echo.begun, ["1", "4", "2"])
      assert.deepStrictEqual(
        heard.forwarded.map(({ id }) => id),
        ["3"]
      )
      assert.strictEqual(figures().residents, 1)
      assert.deepStrictEqual(
        report().map(({ epoch, state }) => [epoch, state]),
        [[2, "active"]]
      )
    })
  )

  it.effect("receive() replaces an actor that has given up when its tenure has ended", () =>
    Effect.gen(function* () {
      const echo = yield* makeEcho
      let ended = false
      const lost = { ...unshared, slot: "7", hasEnded: () => ended }
      const { send } = yield* makeActors(echo.type({ restart: Schedule.recurs(0) }))
      send({ id: "1", message: "die", tenure: lost })
      yield* settle
      assert.deepStrictEqual(send({ id: "2", tenure: lost }).map(wordOf), ["ActorStopped"])
      ended = true
      const reply = send({ id: "3", tenure: { ...unshared, slot: "7" } })
      yield* settle
      assert.deepStrictEqual(reply.map(wordOf), [2])
    })
  )

  it.effect("peek() is not asked under an invalid tenure", () =>
    Effect.gen(function* () {
      let valid = true
      const tenure = { ...unshared, isValid: () => valid, untilValid: Effect.never }
      const type = oneByOne("echo", () => Effect.succeed({ body: "handled" }), {
        behavior: { peek: () => ({ body: "peeked" }) }
      })
      const { send } = yield* makeActors(type)
      send({ id: "1", tenure })
      yield* settle
      assert.deepStrictEqual(send({ id: "2", tenure }).map(wordOf), ["peeked"])
      valid = false
      assert.deepStrictEqual(send({ id: "3", tenure }), [])
    })
  )
})

describe("sleep", () => {
  it.effect("an actor that nobody uses sleeps after as long as its type says, and one that is busy never", () =>
    Effect.gen(function* () {
      const echo = yield* makeEcho
      const { figures, report, send } = yield* makeActors(echo.type({ passivateAfter: Duration.seconds(10) }))
      send({ id: "1" })
      const busy = send({ id: "2", key: "b", message: "hang" })
      yield* settle
      yield* TestClock.adjust("9 seconds")
      assert.strictEqual(figures().residents, 2)
      send({ id: "3" })
      yield* TestClock.adjust("9 seconds")
      assert.strictEqual(figures().residents, 2)
      yield* TestClock.adjust("3 seconds")
      assert.deepStrictEqual(
        report().map(({ key }) => key),
        ["b"]
      )
      yield* echo.release
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(busy.map(wordOf), [2])
      assert.strictEqual(figures().residents, 0)
      assert.strictEqual(figures().counts.passivations, 2)
    })
  )
})
