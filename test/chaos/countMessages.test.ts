/**
 * Does everything that was sent end in exactly one counted way, and take effect once, whatever happens to its host?
 *
 * Members are killed, frozen and stopped while two senders ask and tell. Which, when and in which order is random; the
 * seed is in the title, and SEAMLESS_CHAOS_SEED repeats it.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import process from "node:process"
import type { Tally } from "../../protocol/wire/HostReport.ts"
import type { StateRecord } from "../../protocol/wire/StateRecord.ts"
import * as ActorSubject from "../../protocol/wire/ActorSubject.ts"
import * as DeadLetters from "../../runtime/DeadLetters.ts"
import { Mesh } from "../../runtime/Mesh.ts"
import * as ActorHistory from "../support/ActorHistory.ts"
import * as MemberCluster from "../support/members/MemberCluster.ts"
import * as MixedLoad from "../support/members/MixedLoad.ts"
import { lastRecords, recordedCommits } from "../support/members/recordedCommits.ts"
import { Saved } from "../support/members/testActors.ts"
import { seededNumbers, seededOrder } from "../support/seededOrder.ts"
import { untilTrue } from "../support/untilTrue.ts"

const seed = Number(process.env["SEAMLESS_CHAOS_SEED"] ?? Date.now() % 1_000_000)

const actors = 200
const perSecond = 150
// told at the moment of each fault, so that it finds messages in mailboxes
const burst = 500
const quietMs = 1000
// a message whose end was said to nobody is given up half a minute after its time
const pendingWithinMs = 60_000

const hostIds = ["a", "b", "c"] as const
const verbs = ["kill", "freeze", "stop"] as const

/** What happens to a member, and how long after the one before. */
interface Fault {
  readonly verb: (typeof verbs)[number]
  readonly hostId: string
  readonly afterMs: number
  /** How long it is frozen, if that is what happens: some sessions end in it and some don't. */
  readonly frozenMs: number
}

const planFaults = (from: number): ReadonlyArray<Fault> => {
  const next = seededNumbers(from)
  const victims = seededOrder(verbs.length, from + 1)
  return seededOrder(verbs.length, from + 2).map((which, index) => ({
    verb: verbs[which]!,
    hostId: hostIds[victims[index]!]!,
    afterMs: Math.round(500 + next() * 2500),
    frozenMs: Math.round(2000 + next() * 3000)
  }))
}

const describeFault = ({ afterMs, frozenMs, hostId, verb }: Fault): string =>
  `${verb} ${hostId} after ${afterMs} ms${verb === "freeze" ? ` for ${frozenMs} ms` : ""}`

/** Does one thing to a member; whoever is gone for good has a successor at once. */
const inflict = Effect.fnUntraced(function* (
  cluster: MemberCluster.MemberCluster,
  { fillMailboxes }: MixedLoad.MixedLoad,
  fault: Fault
) {
  const { frozenMs, hostId, verb } = fault
  // the moments are what is random
  yield* Effect.sleep(fault.afterMs)
  const victim = cluster.members.find((member) => member.hostId === hostId)!
  yield* fillMailboxes(burst)
  if (verb === "freeze") {
    yield* victim.freeze
    return yield* Effect.forkScoped(Effect.andThen(Effect.sleep(frozenMs), victim.thaw))
  }
  return yield* Effect.forkScoped(Effect.andThen(victim[verb], cluster.startMember(`${hostId}2`)))
})

const survivors = (faults: ReadonlyArray<Fault>): ReadonlyArray<string> =>
  faults.map(({ hostId, verb }) => (verb === "freeze" ? hostId : `${hostId}2`))

const sumOf = (tally: Tally): number =>
  tally.replied + tally.rejected + tally.expired + tally.deadLettered + tally.lost + tally.pending

const run = Effect.fnUntraced(function* (faults: ReadonlyArray<Fault>) {
  const cluster = yield* MemberCluster.start({ hostIds })
  const second = yield* cluster.startCaller
  const senders = [
    yield* MixedLoad.start(cluster.caller, { name: "one", seed, actors, perSecond }),
    yield* MixedLoad.start(second, { name: "two", seed: seed + 1, actors, perSecond })
  ]
  yield* Effect.forEach(faults, (fault) => inflict(cluster, senders[0]!, fault), { discard: true })
  yield* cluster.settled(survivors(faults), 30_000)
  yield* Effect.sleep(quietMs)
  yield* Effect.forEach(senders, ({ stop }) => stop, { concurrency: "unbounded", discard: true })
  const stoppedMs = performance.now()
  yield* untilTrue(
    "nothing is pending",
    Effect.sync(() => senders.every(({ isOver }) => isOver())),
    pendingWithinMs
  )
  const pendingMs = performance.now() - stoppedMs
  const commits = yield* recordedCommits(cluster.nc)
  const { letters, total } = yield* Effect.flatMap(Mesh, (mesh) => DeadLetters.list(mesh, Saved.name)).pipe(
    Effect.provide(cluster.caller),
    Effect.orDie
  )
  assert.lengthOf(letters, total, "more letters than are listed")
  const stopped = cluster.members.flatMap((member) => member.final()?.tally ?? [])
  return { senders, commits, letters, stopped, pendingMs }
})

type Outcome = Effect.Success<ReturnType<typeof run>>

/** What has ended in a way that leaves open whether it took effect. */
const openEnds = ({ expired, lost, rejected }: Tally): number => expired + lost + rejected

const assertTally = ({ name, sent, tally }: MixedLoad.MixedLoad): void => {
  const told = tally()
  const asks = sent().filter(({ isTold }) => !isTold)
  assert.strictEqual(sent().filter(({ end }) => end === "pending").length, 0)
  assert.strictEqual(told.sent, sent().length, name)
  assert.strictEqual(sumOf(told), told.sent, name)
  assert.isAtLeast(told.replied, asks.filter(({ end }) => end === "replied").length, name)
  assert.isAtLeast(told.expired, asks.filter(({ end }) => end === "DeadlineExceeded").length, name)
}

/** One actor's state against what was sent to it. */
const assertActor = (key: string, sent: ReadonlyArray<MixedLoad.SentMessage>, record: StateRecord | undefined) => {
  const adds = sent.filter(({ burns }) => !burns)
  const done = new Set(record?.operations?.map(({ id }) => id))
  const count = (record?.state as { readonly count: number } | undefined)?.count ?? 0
  const confirmed = adds.filter(({ end }) => end === "replied")
  const missing = confirmed.filter(({ id }) => !done.has(id))
  const strange = Array.from(done).filter((id) => !adds.some((add) => add.id === id))
  assert.deepStrictEqual({ key, missing, strange }, { key, missing: [], strange: [] })
  assert.strictEqual(count, done.size, `${key} counts what took effect, each once`)
  assert.isAtLeast(count, confirmed.length, key)
  assert.isAtMost(count, adds.length, key)
}

const assertEffects = ({ commits, senders }: Outcome): void => {
  const records = lastRecords(commits)
  const all = senders.flatMap(({ sent }) => sent())
  const byKey = Map.groupBy(all, ({ key }) => key)
  for (const [key, sent] of byKey) assertActor(key, sent, records.get(ActorSubject.actorKey({ type: Saved.name, key })))
  // the tells, of which no sender hears one by one: as many as were told to have been handled, and some of open end
  const done = new Set(Array.from(records.values()).flatMap(({ operations = [] }) => operations.map(({ id }) => id)))
  for (const { name, sent, tally } of senders) {
    const tells = sent().filter(({ id, isTold }) => isTold && done.has(id)).length
    const handled = tally().replied - sent().filter(({ end }) => end === "replied").length
    assert.isAtLeast(tells, handled, name)
    assert.isAtMost(tells, handled + openEnds(tally()), name)
  }
}

const assertLetters = ({ letters, senders }: Outcome): void => {
  const burnt = senders.flatMap(({ sent }) => sent().filter(({ burns }) => burns))
  const kept = new Set(letters.map(({ id }) => id))
  const heard = burnt.filter(({ end }) => end === "MessageDeadLettered")
  assert.deepStrictEqual(
    heard.filter(({ id }) => !kept.has(id)),
    [],
    "dead letters without a letter"
  )
  assert.deepStrictEqual(
    letters.filter(({ id }) => !burnt.some((message) => message.id === id)).map(({ id }) => id),
    [],
    "letters of messages that do not burn"
  )
  const counted = senders.reduce((sum, { tally }) => sum + tally().deadLettered, 0)
  const open = senders.reduce((sum, { tally }) => sum + openEnds(tally()), 0)
  assert.isAtLeast(letters.length, counted)
  assert.isAtMost(letters.length, counted + open)
}

const faults = planFaults(seed)

describe("messages under kill, freeze and SIGTERM", () => {
  it.live(
    `each ends in one counted way and takes effect once (seed ${seed}: ${faults.map(describeFault).join("; ")})`,
    () =>
      Effect.gen(function* () {
        const outcome = yield* run(faults)
        for (const { name, tally } of outcome.senders) process.stdout.write(`${name}: ${JSON.stringify(tally())}\n`)
        process.stdout.write(
          `seed ${seed}; ${outcome.letters.length} letters; nothing pending ${outcome.pendingMs.toFixed(0)} ms after the load\n`
        )
        outcome.senders.forEach(assertTally)
        for (const tally of outcome.stopped) assert.deepStrictEqual(sumOf(tally), tally.sent)
        assertEffects(outcome)
        assertLetters(outcome)
        assert.deepStrictEqual(ActorHistory.violations(outcome.commits), [])
      })
  )
})
