/**
 * Has each slot one owner, whatever happens to hosts and to NATS?
 *
 * Several hosts in this process, each over a connection of its own, and a look past all of them at the records.
 */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Option, Schedule, type Scope } from "effect"
import { desiredOwner } from "../../cluster/Placement.ts"
import type { SlotRecord } from "../../cluster/planClaims.ts"
import { readSlots } from "../../cluster/SlotRecords.ts"
import { slot, slotName } from "../../protocol/wire/ActorSubject.ts"
import * as Codec from "../../protocol/wire/Codec.ts"
import { Mesh, type MeshShape } from "../../runtime/Mesh.ts"
import * as NatsMesh from "../../runtime/nats/NatsMesh.ts"
import { slotsOf } from "../cluster/slots.ts"
import * as NatsServer from "../support/NatsServer.ts"
import * as SlotHost from "../support/SlotHost.ts"
import * as TcpProxy from "../support/TcpProxy.ts"
import { untilTrue } from "../support/untilTrue.ts"
import { withoutViolations } from "../support/violations.ts"

type Host = Effect.Success<ReturnType<typeof SlotHost.start>>

const slots = slotsOf("")

/** Whether the records and the hosts say the same, and each slot is where it should be. */
const isSettled = (mesh: MeshShape, hosts: ReadonlyArray<Host>, names = slots) =>
  Effect.map(readSlots(mesh), (records) => {
    const incarnations = hosts.map(({ incarnation }) => incarnation)
    return names.every((name) => {
      const owner = records.get(name)?.owner
      const holders = hosts.filter(({ tenures }) => tenures.get(name)?.isValid())
      return owner === desiredOwner(name, incarnations) && holders.length === 1 && holders[0]?.incarnation === owner
    })
  })

const untilSettled = (mesh: MeshShape, hosts: ReadonlyArray<Host>, names = slots) =>
  untilTrue(
    "each slot has the owner that it should have",
    // a look that an outage swallowed is no answer
    Effect.orElseSucceed(isSettled(mesh, hosts, names), () => false),
    20_000
  )

const ownersIn = (records: ReadonlyMap<string, SlotRecord>) => slots.map((name) => records.get(name)?.owner)

const epochsIn = (records: ReadonlyMap<string, SlotRecord>) => slots.map((name) => records.get(name)?.slotEpoch)

const until = (what: string, look: () => boolean, withinMs?: number) => untilTrue(what, Effect.sync(look), withinMs)

/** A server, a connection past all hosts, and the way to start hosts; all must hold for them that always must. */
const withServer = <A, E>(
  test: (server: NatsServer.NatsServer, mesh: MeshShape) => Effect.Effect<A, E, Scope.Scope>
): Effect.Effect<A, E> =>
  Effect.gen(function* () {
    const server = yield* NatsServer.start()
    return yield* Effect.flatMap(Mesh, (mesh) => test(server, mesh)).pipe(
      Effect.provide(NatsMesh.layer({ servers: server.url, name: "onlooker" })),
      Effect.catchTag("MeshUnavailable", Effect.die)
    )
  }).pipe(Effect.scoped, withoutViolations) as Effect.Effect<A, E>

const startAll = (servers: string, hostIds: ReadonlyArray<string>) =>
  Effect.forEach(hostIds, (hostId) => SlotHost.start({ servers, hostId }), { concurrency: "unbounded" })

describe("claimSlots()", () => {
  it.live("claimSlots() of three hosts share the slots; a fourth moves a quarter, and its leaving only its own", () =>
    withServer(({ url: servers }, mesh) =>
      Effect.gen(function* () {
        const three = yield* startAll(servers, ["a", "b", "c"])
        yield* untilSettled(mesh, three)
        const before = ownersIn(yield* readSlots(mesh))

        const fourth = yield* SlotHost.start({ servers, hostId: "d" })
        yield* untilSettled(mesh, [...three, fourth])
        const joined = ownersIn(yield* readSlots(mesh))
        const moved = joined.filter((owner, index) => owner !== before[index])
        assert.deepStrictEqual([...new Set(moved)], [fourth.incarnation])
        assert.isAtLeast(moved.length, 43)
        assert.isAtMost(moved.length, 85)

        yield* fourth.stop
        yield* untilSettled(mesh, three)
        assert.deepStrictEqual(ownersIn(yield* readSlots(mesh)), before)
        for (const { claims, hostId } of [...three, fourth]) {
          const { handoverMsMax, handovers } = claims.counts()
          assert.isBelow(handoverMsMax, 250, `${hostId} handed ${handovers} slots over`)
        }
      })
    )
  )

  it.live("claimSlots() answers on each slot from the moment that its claim is known", () =>
    withServer(({ url: servers }, mesh) =>
      Effect.gen(function* () {
        const host = yield* SlotHost.start({ servers, hostId: "a" })
        const answers = yield* Effect.forEach(slots, (name) =>
          mesh.request(slot(name), new Uint8Array(0), { timeoutMs: 1000 })
        )
        assert.lengthOf(answers, 256)
        assert.strictEqual(host.claims.counts().claims, 256)
      }).pipe(Effect.orDie)
    )
  )

  it.live("claimSlots() of the others take the slots of a host that is cut off, which comes back for its own", () =>
    withServer((server, mesh) =>
      Effect.gen(function* () {
        const proxy = yield* TcpProxy.start({ host: "127.0.0.1", port: server.port })
        const others = yield* startAll(server.url, ["a", "b"])
        const cutOff = yield* SlotHost.start({ servers: proxy.url, hostId: "c" })
        const all = [...others, cutOff]
        yield* untilSettled(mesh, all)
        const before = ownersIn(yield* readSlots(mesh))
        const own = cutOff.tenures.size

        yield* proxy.cut
        yield* untilSettled(mesh, others)
        assert.deepStrictEqual([cutOff.status.state(), cutOff.ended.lost], ["suspended", 0])
        assert.isTrue(Array.from(cutOff.tenures.values()).every((tenure) => !tenure.isValid()))
        assert.match(cutOff.status.reason(), /^no renewal answered for \d+\.\d s$/)

        yield* proxy.restore("reset")
        yield* untilSettled(mesh, all)
        assert.strictEqual(cutOff.ended.lost, own)
        assert.strictEqual(cutOff.status.state(), "serving")
        assert.deepStrictEqual(ownersIn(yield* readSlots(mesh)), before)
      })
    )
  )

  it.live("claimSlots() takes over from a host that died within its time to live and half a second", () =>
    withServer((server, mesh) =>
      Effect.gen(function* () {
        const proxy = yield* TcpProxy.start({ host: "127.0.0.1", port: server.port })
        const others = yield* startAll(server.url, ["a", "b"])
        const dying = yield* SlotHost.start({ servers: proxy.url, hostId: "c" })
        yield* untilSettled(mesh, [...others, dying])
        yield* Effect.forEach(others, ({ session }) => untilTrue("it may bury", session.mayBury))

        const [elapsed] = yield* Effect.timed(Effect.andThen(proxy.cut, untilSettled(mesh, others)))
        assert.isBelow(Duration.toMillis(elapsed), 3500)
        yield* proxy.restore("reset")
      })
    )
  )
})

/** Asks the owners of slots, one after the other, until told to stop; gives how many requests found no answer. */
const askOn = (mesh: MeshShape, isOver: () => boolean) => {
  const timeoutMs = 1000
  // nobody there: the slot is on its way
  const ask = (name: string) =>
    mesh
      .request(slot(name), new Uint8Array(0), { timeoutMs })
      .pipe(Effect.retry({ schedule: Schedule.spaced("5 millis"), while: ({ _tag }) => _tag === "NoResponders" }))
  const asker = Effect.fnUntraced(function* (first: number) {
    let unanswered = 0
    for (let index = first; !isOver(); index = (index + 7) % slots.length) {
      const answer = yield* Effect.option(ask(slots[index]!))
      if (Option.isNone(answer)) unanswered += 1
    }
    return unanswered
  })
  const askers = Array.from({ length: 8 }, (_, index) => index * 32)
  return Effect.map(Effect.forEach(askers, asker, { concurrency: "unbounded" }), (counts) =>
    counts.reduce((sum, count) => sum + count, 0)
  )
}

describe("a handover", () => {
  it.live("a handover leaves no message without an answer, and stays below 250 ms under load", () =>
    withServer(({ url: servers }, mesh) =>
      Effect.gen(function* () {
        const three = yield* startAll(servers, ["a", "b", "c"])
        yield* untilSettled(mesh, three)
        let isOver = false
        const asking = yield* Effect.forkChild(askOn(mesh, () => isOver))
        const fourth = yield* SlotHost.start({ servers, hostId: "d" })
        yield* untilSettled(mesh, [...three, fourth])
        const drained = yield* fourth.claims.drain
        isOver = true
        assert.strictEqual(yield* Fiber.join(asking), 0)
        const longest = [drained, ...three.map(({ claims }) => claims.counts())].map((figures) => figures.handoverMsMax)
        assert.isBelow(Math.max(...longest), 250)
      })
    )
  )
})

describe("an outage of NATS", () => {
  it.live("an outage of 10 s raises no slot epoch: hosts confirm what they hold, and go on", () =>
    withServer((server, mesh) =>
      Effect.gen(function* () {
        const hosts = yield* startAll(server.url, ["a", "b", "c"])
        yield* untilSettled(mesh, hosts)
        const before = yield* readSlots(mesh)
        const tenures = hosts.map((host) => new Map(host.tenures))
        const counts = hosts.map(({ claims }) => claims.counts())

        yield* server.kill
        yield* until("10 s have gone by", () => hosts.every(({ session }) => session.silentMs() > 10_000), 20_000)
        assert.deepStrictEqual(
          hosts.map(({ status }) => status.state()),
          ["suspended", "suspended", "suspended"]
        )
        yield* server.start
        yield* until("all serve again", () => hosts.every(({ status }) => status.state() === "serving"), 20_000)
        yield* untilSettled(mesh, hosts)

        // whoever waits to bury the others may do so by now
        yield* Effect.forEach(hosts, ({ session }) => untilTrue("it may bury", session.mayBury))
        const after = yield* readSlots(mesh)
        assert.deepStrictEqual(epochsIn(after), epochsIn(before))
        assert.deepStrictEqual(ownersIn(after), ownersIn(before))
        for (const [index, host] of hosts.entries()) {
          assert.deepStrictEqual(host.tenures, tenures[index])
          assert.strictEqual(host.ended.lost, 0)
          const { claims, confirms, handovers } = host.claims.counts()
          assert.deepStrictEqual([claims, handovers], [counts[index]?.claims, counts[index]?.handovers])
          assert.strictEqual(confirms, host.tenures.size)
        }
      })
    )
  )

  it.live("a frozen server, and one that is gone for a moment, raise no slot epoch either", () =>
    withServer((server, mesh) =>
      Effect.gen(function* () {
        const hosts = yield* startAll(server.url, ["a", "b", "c"])
        yield* untilSettled(mesh, hosts)
        const before = yield* readSlots(mesh)
        const outages = [
          { begin: server.freeze, end: server.thaw, ms: 2600 },
          { begin: server.kill, end: server.start, ms: 2600 },
          { begin: server.freeze, end: server.thaw, ms: 4000 }
        ]
        for (const { begin, end, ms } of outages) {
          yield* begin
          yield* until(`${ms} ms have gone by`, () => hosts.every(({ session }) => session.silentMs() > ms))
          yield* end
          yield* until("all serve again", () => hosts.every(({ status }) => status.state() === "serving"))
          yield* Effect.forEach(hosts, ({ session }) => untilTrue("it may bury", session.mayBury))
          yield* untilSettled(mesh, hosts)
          assert.deepStrictEqual(epochsIn(yield* readSlots(mesh)), epochsIn(before))
        }
      })
    )
  )
})

describe("a drain", () => {
  it.live("a drain hands each slot over in less than 250 ms, and however often it is asked for, it is one", () =>
    withServer(({ url: servers }, mesh) =>
      Effect.gen(function* () {
        const [leaving, ...others] = yield* startAll(servers, ["a", "b", "c"])
        yield* untilSettled(mesh, [leaving!, ...others])
        const own = leaving!.tenures.size
        const { handedOver } = leaving!.ended
        const [first, second] = yield* Effect.all([leaving!.claims.drain, leaving!.claims.drain], { concurrency: 2 })
        assert.deepStrictEqual(first, second)
        assert.strictEqual(first.handovers, own)
        assert.isBelow(first.handoverMsMax, 250)
        assert.strictEqual(leaving!.status.state(), "drained")
        assert.deepStrictEqual(leaving!.ended, { handedOver: handedOver + own, lost: 0 })
        yield* leaving!.status.draining
        // at once: whoever drained waited until the others had them
        assert.isTrue(yield* isSettled(mesh, others))
        yield* leaving!.stop
        yield* untilSettled(mesh, others)
      })
    )
  )

  it.live("a drain of the only host gives everything back and waits for nobody", () =>
    withServer(({ url: servers }, mesh) =>
      Effect.gen(function* () {
        const host = yield* SlotHost.start({ servers, hostId: "a" })
        const { elapsedMs, handovers } = yield* host.claims.drain
        assert.strictEqual(handovers, 256)
        assert.isBelow(elapsedMs, 2000)
        assert.deepStrictEqual([...new Set(ownersIn(yield* readSlots(mesh)))], [""])
        assert.deepStrictEqual(host.claims.names(), [])
      })
    )
  )
})

describe("labels", () => {
  it.live("slots of a label are owned by the hosts that have it, and those without one by the others", () =>
    withServer(({ url: servers }, mesh) =>
      Effect.gen(function* () {
        const plain = yield* SlotHost.start({ servers, hostId: "a" })
        const both = yield* SlotHost.start({ servers, hostId: "b", labels: ["tick"] })
        const only = yield* SlotHost.start({ servers, hostId: "c", labels: ["tick"], unlabelled: false })
        yield* untilSettled(mesh, [plain, both])
        yield* untilSettled(mesh, [both, only], slotsOf("tick"))
        assert.isTrue(only.claims.names().every((name) => name.startsWith("tick.")))

        // a label that nobody has any more has no owner
        yield* Effect.all([both.stop, only.stop], { concurrency: 2 })
        yield* untilSettled(mesh, [plain])
        const records = yield* readSlots(mesh)
        assert.isTrue(slotsOf("tick").every((name) => records.get(name)?.owner === ""))
        const asked = yield* mesh.request(slot(slotName("", 3)), new Uint8Array(0), { timeoutMs: 1000 })
        assert.deepInclude(JSON.stringify(Codec.fromJson(asked.data)), `"hostId":"a"`)
      }).pipe(Effect.orDie)
    )
  )
})
