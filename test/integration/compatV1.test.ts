/**
 * Do members of the present version and members of version 1 make one cluster?
 *
 * The member of version 1 is made of recorded vectors alone (test/compat). The others are processes of the present code.
 */
import type { NatsConnection } from "@nats-io/transport-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as EmbeddedServer from "../../runtime/nats/EmbeddedServer.ts"
import { startCurrentMember } from "../compat/startCurrentMember.ts"
import type { V1Answer, V1Ask } from "../compat/v1Ask.ts"
import { isSlotValue } from "../compat/v1Forms.ts"
import * as V1Member from "../compat/V1Member.ts"
import { desiredOwner, slotCount, slotOf } from "../compat/v1Placement.ts"
import { readBucket } from "../compat/V1Records.ts"
import { startConnection } from "../support/ClusterHarness.ts"
import { untilTrue } from "../support/untilTrue.ts"

const binary = process.env["SEAMLESS_NATS_SERVER"] ?? "nats-server"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "seamless-compat-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, maxRetries: 5 }))
)

const startV1 = (servers: string, hostId: string, configurationHash?: string) =>
  Effect.acquireRelease(
    Effect.promise(() =>
      V1Member.start({ servers, hostId, ...(configurationHash === undefined ? {} : { configurationHash }) })
    ),
    (member) => Effect.promise(() => member.kill())
  )

/** A server, a plain connection to it, and the ways to start members of either version. */
const setUp = Effect.gen(function* () {
  const { url: servers } = yield* Effect.orDie(EmbeddedServer.start({ dataDir: yield* folder, binary }))
  const nc = yield* startConnection(servers)
  return {
    servers,
    nc,
    v1: (hostId: string) => startV1(servers, hostId),
    current: (hostId: string) => startCurrentMember(nc, servers, hostId)
  }
})

/** By incarnation: the slots without a label that it owns, as the records say. */
const ownedSlots = async (nc: NatsConnection): Promise<ReadonlyMap<string, ReadonlySet<number>>> => {
  const owned = new Map<string, Set<number>>()
  for (const { subject, value } of await readBucket(nc, "seamless-slots")) {
    const slot = Number(subject.split(".").slice(2).join("."))
    if (!Number.isInteger(slot) || !isSlotValue(value)) continue
    owned.set(value.owner, (owned.get(value.owner) ?? new Set()).add(slot))
  }
  return owned
}

/** Waits until these hosts own all slots, each what it should own among them. */
const untilDivided = (nc: NatsConnection, incarnations: ReadonlyArray<string>) =>
  untilTrue(
    "each slot has the owner that it should have",
    Effect.promise(async () => {
      const owned = await ownedSlots(nc)
      return Array.from({ length: slotCount }, (_, slot) => slot).every((slot) =>
        owned.get(desiredOwner(slot, incarnations)!)?.has(slot)
      )
    }),
    20_000
  )

/** Waits until one host owns all slots. */
const untilAlone = (nc: NatsConnection, incarnation: string) => untilDivided(nc, [incarnation])

/** Keys of counters whose slots are these, by a name that no other test part uses. */
const keysIn = (slots: ReadonlySet<number>, name: string, count: number): ReadonlyArray<string> =>
  Array.from({ length: 5000 }, (_, index) => `${name}-${index}`)
    .filter((key) => slots.has(slotOf({ type: "counter", key })))
    .slice(0, count)

const add = (key: string, by: number): V1Ask => ({
  type: "counter",
  key,
  message: "add",
  payload: { by },
  budgetMs: 15_000
})

/** An ask of a member of either version. */
type Ask = (ask: V1Ask) => Effect.Effect<V1Answer>

const asV1 =
  (member: V1Member.V1Member): Ask =>
  (ask) =>
    Effect.promise(() => member.ask(ask))

/** Adds to counters through one asker and then through another; both see one count. */
const countTogether = Effect.fnUntraced(function* (keys: ReadonlyArray<string>, first: Ask, second: Ask) {
  assert.isAbove(keys.length, 0)
  for (const key of keys) {
    assert.deepStrictEqual(yield* first(add(key, 3)), { body: { count: 3 } }, key)
    assert.deepStrictEqual(yield* second(add(key, 4)), { body: { count: 7 } }, key)
  }
})

const understoodAll = (...members: ReadonlyArray<V1Member.V1Member>): void => {
  for (const member of members) assert.deepStrictEqual(member.received(), [])
}

describe("members of version 1 among themselves", () => {
  it.live("divide the slots of one that left, and ask each other both ways", () =>
    Effect.gen(function* () {
      const { nc, v1 } = yield* setUp
      const first = yield* v1("first")
      yield* untilAlone(nc, first.incarnation)
      const [a, b] = [yield* v1("a"), yield* v1("b")]
      yield* Effect.promise(() => first.stop())
      yield* untilDivided(nc, [a.incarnation, b.incarnation])
      yield* countTogether(keysIn(a.slots(), "of-a", 5), asV1(a), asV1(b))
      yield* countTogether(keysIn(b.slots(), "of-b", 5), asV1(a), asV1(b))
      understoodAll(first, a, b)
    })
  )

  it.live("take slots that were given back, and those of one that crashed", () =>
    Effect.gen(function* () {
      const { nc, v1 } = yield* setUp
      const [a, b] = [yield* v1("a"), yield* v1("b")]
      yield* Effect.promise(() => a.stop({ givesBack: true }))
      yield* untilAlone(nc, b.incarnation)
      const c = yield* v1("c")
      yield* Effect.promise(() => b.kill())
      yield* untilAlone(nc, c.incarnation)
      understoodAll(a, b, c)
    })
  )

  it.live("refuse another configuration", () =>
    Effect.gen(function* () {
      const { servers, v1 } = yield* setUp
      yield* v1("a")
      const other = yield* Effect.exit(startV1(servers, "b", "another"))
      assert.strictEqual(other._tag, "Failure")
    })
  )
})

describe("a member of the present version", () => {
  it.live("joins one of version 1, and is asked by it for what it took over", () =>
    Effect.gen(function* () {
      const { current, nc, v1 } = yield* setUp
      const first = yield* v1("first")
      yield* untilAlone(nc, first.incarnation)
      const member = yield* current("present")
      const old = yield* v1("old")
      yield* countTogether(["before"], asV1(old), member.ask)
      yield* Effect.promise(() => first.stop())
      yield* untilDivided(nc, [old.incarnation, member.incarnation])
      const ofMember = (yield* Effect.promise(() => ownedSlots(nc))).get(member.incarnation) ?? new Set()
      yield* countTogether(keysIn(old.slots(), "of-old", 5), asV1(old), member.ask)
      yield* countTogether(keysIn(old.slots(), "of-old-too", 5), member.ask, asV1(old))
      yield* countTogether(keysIn(ofMember, "of-present", 5), asV1(old), member.ask)
      yield* countTogether(keysIn(ofMember, "of-present-too", 5), member.ask, asV1(old))
      understoodAll(first, old)
    })
  )

  it.live("is joined by one of version 1, which takes all when it stops", () =>
    Effect.gen(function* () {
      const { current, nc, v1 } = yield* setUp
      const member = yield* current("present")
      const old = yield* v1("old")
      yield* countTogether(["before"], asV1(old), member.ask)
      yield* member.stop
      yield* untilAlone(nc, old.incarnation)
      yield* countTogether(["after"], asV1(old), asV1(old))
      understoodAll(old)
    })
  )

  it.live("is joined by one of version 1, which takes all when it is killed", () =>
    Effect.gen(function* () {
      const { current, nc, v1 } = yield* setUp
      const member = yield* current("present")
      const old = yield* v1("old")
      yield* member.kill
      yield* untilAlone(nc, old.incarnation)
      yield* countTogether(["after"], asV1(old), asV1(old))
      understoodAll(old)
    })
  )

  it.live("takes all slots of one of version 1, however that one ends", () =>
    Effect.gen(function* () {
      const { current, nc, v1 } = yield* setUp
      const ends = [
        (old: V1Member.V1Member) => old.stop(),
        (old: V1Member.V1Member) => old.stop({ givesBack: true }),
        (old: V1Member.V1Member) => old.kill()
      ]
      for (const [index, end] of ends.entries()) {
        const old = yield* v1(`old-${index}`)
        yield* untilAlone(nc, old.incarnation)
        const member = yield* current(`present-${index}`)
        yield* Effect.promise(() => end(old))
        yield* untilAlone(nc, member.incarnation)
        yield* countTogether([`after-${index}`], member.ask, member.ask)
        yield* member.kill
        understoodAll(old)
      }
    })
  )

  it.live("takes the place of one of version 1 after the other, and every ask is answered", () =>
    Effect.gen(function* () {
      const { current, nc, v1 } = yield* setUp
      const [a, b] = [yield* v1("a"), yield* v1("b")]
      const first = yield* current("first")
      yield* Effect.promise(() => a.stop())
      yield* countTogether(["one", "two", "three"], asV1(b), first.ask)
      const second = yield* current("second")
      // slots are on their way while this is asked
      const [ofB] = yield* Effect.all(
        [Effect.forEach(["four", "five", "six"], (key) => first.ask(add(key, 1))), Effect.promise(() => b.stop())],
        { concurrency: 2 }
      )
      assert.deepStrictEqual(
        ofB.map((answer) => "body" in answer),
        [true, true, true]
      )
      yield* untilTrue(
        "nothing is left to those of version 1",
        Effect.promise(async () => {
          const owned = await ownedSlots(nc)
          const counts = [first, second].map(({ incarnation }) => owned.get(incarnation)?.size ?? 0)
          return counts.reduce((sum, count) => sum + count, 0) === slotCount
        }),
        20_000
      )
      yield* countTogether(["seven", "eight", "nine"], first.ask, second.ask)
      understoodAll(a, b)
    })
  )
})
