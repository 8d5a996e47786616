/**
 * Does an actor that has too much to do leave the others alone, and say so at once?
 *
 * Times are compared with those of the same run, taken in turns: what else the machine does befalls both.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { fileURLToPath } from "node:url"
import { ActorSystem, ask } from "../../runtime/ActorSystem.ts"
import { withBudget } from "../../runtime/Deadline.ts"
import * as Load from "../support/members/Load.ts"
import * as ReadyProcess from "../support/ReadyProcess.ts"
import { untilTrue } from "../support/untilTrue.ts"
import * as MemberCluster from "../support/members/MemberCluster.ts"
import { describeSpread, quantile } from "../support/members/spread.ts"
import { Fleeting, holdNarrow, narrowMailboxMax } from "../support/members/testActors.ts"

const holdFor = ask(holdNarrow)

const quietActors = 99
const quietPerSecond = 500
const floodPerSecond = 2000
const rounds = 24
const ratioMax = 2
const windowMs = 300

const add = (key: string) => Fleeting.ref(key).ask("add", { by: 1 }).pipe(Effect.orDie, Effect.asVoid)

/** Waits as long as a window is; what is measured goes on meanwhile. */
const window = Effect.sleep(windowMs)

/** How long each ask of the quiet actors took, in one window. */
const measureQuiet = Effect.gen(function* () {
  const timesMs: Array<number> = []
  const quiet = yield* Load.start(quietPerSecond, (index) =>
    Effect.suspend(() => {
      const startedMs = performance.now()
      const note = Effect.sync(() => void timesMs.push(performance.now() - startedMs))
      return Effect.andThen(add(`quiet${index % quietActors}`), note)
    })
  )
  yield* window
  yield* quiet.stop
  return timesMs
}).pipe(Effect.scoped)

/** The sum of the shortest third of them. */
const shortestThird = (timesMs: ReadonlyArray<number>): number =>
  timesMs
    .toSorted((a, b) => a - b)
    .slice(0, timesMs.length / 3)
    .reduce((sum, ms) => sum + ms, 0)

/**
 * The 99th percentile of the quiet actors beside something, in parts of what it is without. Both are taken in many
 * short windows, in turns. What else the machine does can only make one longer, so the shortest third of each kind
 * counts. What is begun for a window ends with its scope.
 */
const compare = Effect.fnUntraced(function* (
  what: string,
  begin: (round: number) => Effect.Effect<void, never, Scope.Scope | ActorSystem>
) {
  yield* measureQuiet
  const [alone, beside]: [Array<number>, Array<number>] = [[], []]
  const into = (p99s: Array<number>) => (timesMs: ReadonlyArray<number>) => void p99s.push(quantile(timesMs, 0.99))
  for (let round = 0; round < rounds; round++) {
    const undisturbed = Effect.map(measureQuiet, into(alone))
    const disturbed = Effect.map(Effect.scoped(Effect.andThen(begin(round), measureQuiet)), into(beside))
    yield* Effect.all(round % 2 === 0 ? [undisturbed, disturbed] : [disturbed, undisturbed], { discard: true })
  }
  const ratio = shortestThird(beside) / shortestThird(alone)
  const digits = (p99s: ReadonlyArray<number>) => p99s.toSorted((a, b) => a - b).map((one) => one.toFixed(1))
  yield* Effect.logInfo(`p99 ${what}, in parts of that alone: ${ratio.toFixed(2)}`)
  yield* Effect.logInfo("p99 in ms, by window: alone", digits(alone).join(" "), what, digits(beside).join(" "))
  return ratio
})

/** A machine that is busy with something else spoils a comparison, and hardly three of them. */
const comparisonsMax = 3

/** The least ratio of some comparisons, which end with the first that is small enough. */
const compareAgain = Effect.fnUntraced(function* (
  what: string,
  begin: (round: number) => Effect.Effect<void, never, Scope.Scope | ActorSystem>,
  ratioMax: number
) {
  let least = Infinity
  for (let times = 0; times < comparisonsMax && least > ratioMax; times++) {
    least = Math.min(least, yield* compare(what, begin))
  }
  return least
})

const tellHold = Effect.fnUntraced(function* (key: string, forMs: number) {
  const { tell } = yield* ActorSystem
  yield* tell(
    { to: { type: holdNarrow.actor, key }, label: "actors" },
    { message: holdNarrow.name, payload: { forMs } }
  )
})

/** Fills the mailbox of an actor that is held; what is in it is out of time before the actor is free. */
const fill = (key: string) =>
  Effect.gen(function* () {
    yield* holdFor(key, { forMs: 0 })
    yield* tellHold(key, windowMs + 1000)
    // the first of them is in the actor's hands, and not in its mailbox
    const waiting = Array.from({ length: narrowMailboxMax }, () => tellHold(key, 0))
    yield* Effect.all(waiting, { concurrency: narrowMailboxMax, discard: true })
  }).pipe(withBudget(windowMs + 500), Effect.orDie)

/** All times of the half of the windows whose longest are the shortest: the machine did least besides. */
const calmer = (windows: ReadonlyArray<ReadonlyArray<number>>): ReadonlyArray<number> =>
  windows
    .toSorted((a, b) => Math.max(...a) - Math.max(...b))
    .slice(0, windows.length / 2)
    .flat()

/** How long something takes, which begins after a pause. */
const timed = Effect.fnUntraced(function* <A, E, R>(what: Effect.Effect<A, E, R>, into: Array<number>) {
  yield* Effect.sleep("3 millis")
  const startedMs = performance.now()
  const outcome = yield* what
  into.push(performance.now() - startedMs)
  return outcome
})

describe("one actor that is asked too much", () => {
  it.live("a flood of 2,000 messages a second makes the p99 of 99 quiet actors no more than 2 times longer", () =>
    Effect.gen(function* () {
      const { caller, server } = yield* MemberCluster.start({ hostIds: ["a"] })
      // a process of its own: who sends that much is late in measuring anything else
      const flooder = yield* ReadyProcess.start({
        program: fileURLToPath(new URL("../support/members/flood.ts", import.meta.url)),
        args: ["--nats", server.url, "--per-second", String(floodPerSecond)]
      })
      let begun = 0
      const end = Effect.gen(function* () {
        const before = flooder.lines().length
        yield* flooder.send("end")
        yield* untilTrue(
          "the flood has ended",
          Effect.sync(() => flooder.lines().length > before)
        )
        begun += (JSON.parse(flooder.lines().at(-1)!) as { readonly begun: number }).begun
      })
      const beginFlood = Effect.acquireRelease(flooder.send("begin"), () => end)
      const ratio = yield* compareAgain("beside a flood", () => beginFlood, ratioMax).pipe(Effect.provide(caller))
      // what the sender's own timers are late
      assert.isAtLeast(begun, 0.95 * floodPerSecond * (windowMs / 1000) * rounds)
      assert.isAtMost(ratio, ratioMax)
    })
  )

  it.live("a full mailbox refuses at once, says when to come again, and the others keep their p99", () =>
    Effect.gen(function* () {
      const { caller } = yield* MemberCluster.start({ hostIds: ["a"] })
      const refused: Array<Array<number>> = []
      const idle: Array<Array<number>> = []
      const tryOnce = Effect.fnUntraced(function* (key: string, inWindow: number) {
        const outcome = yield* timed(Effect.flip(holdFor(key, { forMs: 0 })), refused[inWindow]!)
        assert.strictEqual(outcome._tag, "MailboxFull")
        if (outcome._tag === "MailboxFull") assert.isAtLeast(outcome.retryAfterMs, 1)
        yield* timed(add("idle"), idle[inWindow]!)
      }, Effect.orDie)
      const beginFull = Effect.fnUntraced(function* () {
        const window = refused.length
        const key = `full${window}`
        refused.push([])
        idle.push([])
        yield* fill(key)
        yield* Effect.forkScoped(Effect.forever(tryOnce(key, window)))
      })
      const ratio = yield* compareAgain("beside a full mailbox", beginFull, ratioMax).pipe(Effect.provide(caller))
      const [refusedCalm, idleCalm] = [calmer(refused), calmer(idle)]
      yield* Effect.logInfo(describeSpread("refused", refusedCalm))
      yield* Effect.logInfo(describeSpread("idle ask", idleCalm))
      assert.isAtMost(ratio, ratioMax)
      assert.isBelow(quantile(refused.flat(), 0.5), 5)
      // a refusal is an answer like any other: what a busy machine adds to one it adds to the other
      assert.isBelow(quantile(refusedCalm, 0.99), Math.max(5, 2 * quantile(idleCalm, 0.99)))
    })
  )
})
