/** Does a host answer operators for all hosts: also for those that can't, or don't? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, Option } from "effect"
import * as ClusterAdmin from "../../cluster/ClusterAdmin.ts"
import { HostSession } from "../../cluster/HostSession.ts"
import { LocalActors } from "../../cluster/LocalActors.ts"
import { slotOf } from "../../cluster/Placement.ts"
import * as Codec from "../../protocol/wire/Codec.ts"
import type { Address } from "../../protocol/wire/Envelope.ts"
import { Header } from "../../protocol/wire/Header.ts"
import type { SessionRecord } from "../../protocol/wire/HostRecords.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import { keySubject } from "../../protocol/wire/StreamSpec.ts"
import * as ActorSubject from "../../protocol/wire/ActorSubject.ts"
import { recordOf } from "../../runtime/ActorState.ts"
import { layerLocal } from "../../runtime/ActorSystem.ts"
import { HostStatus } from "../../runtime/HostStatus.ts"
import * as MemoryMesh from "../../runtime/MemoryMesh.ts"
import { Mesh } from "../../runtime/Mesh.ts"
import { Counter } from "../support/actors/counter.ts"
import { sessionThat } from "./slots.ts"

const hostOf = (incarnation: string, protocolVersion = 2): SessionRecord => ({
  incarnation,
  hostId: `host-${incarnation}`,
  configurationHash: "",
  protocolVersion,
  startedAt: 1
})

const live = [hostOf("me"), hostOf("mute"), hostOf("old", 1)]

const session = Layer.succeed(
  HostSession,
  sessionThat({ hostId: "host-me", record: () => live[0]!, live: Effect.succeed(live) })
)

// it drains from the start, which must not keep operators from answers
const status = Layer.succeed(HostStatus, {
  state: () => "draining" as const,
  reason: () => "",
  draining: Effect.void
})

const released: Array<Address> = []
/** The keys of the actors that this host has. */
const resident = new Set<string>()

const locals = Layer.succeed(LocalActors, {
  report: () => ({ state: "draining", residents: 1 }),
  actors: () =>
    ["a", "b"].map((key, index) => ({
      type: "counter",
      key,
      slot: "1",
      hostId: "host-me",
      state: index === 0 ? ("active" as const) : ("stopped" as const),
      epoch: 1,
      rate: index,
      mailbox: 0,
      p99Ms: 0,
      messages: 0,
      bytes: 0
    })),
  drain: Effect.succeed({ handovers: 2, handoverMsMax: 1, elapsedMs: 3 }),
  release: (address) =>
    Effect.sync(() => {
      released.push(address)
      return resident.has(address.key)
    })
})

const system = ClusterAdmin.layer.pipe(
  Layer.provideMerge(Layer.mergeAll(session, status, locals, layerLocal([Counter]))),
  Layer.provideMerge(MemoryMesh.layer),
  Layer.provideMerge(Logger.layer([]))
)

const ask = Effect.fnUntraced(function* (verb: string, body: unknown) {
  const mesh = yield* Mesh
  const data = typeof body === "string" ? new TextEncoder().encode(body) : Codec.toJson(body)
  const reply = yield* mesh.request(ActorSubject.admin("alice", verb), data, { timeoutMs: 5000 })
  const answer = JSON.parse(new TextDecoder().decode(reply.data))
  return { code: reply.headers.get(Header.errorCode), answer }
})

const letterOf = Effect.gen(function* () {
  yield* Effect.flip(Counter.ref("a").ask("spend", { by: 1 }))
  const { answer } = yield* ask("letters", { type: "counter" })
  return answer.letters[0]
})

describe("ClusterAdmin", () => {
  it.live("hosts tells of those that answer, that do not, and that can not", () =>
    Effect.gen(function* () {
      const { answer } = yield* ask("hosts", {})
      assert.deepStrictEqual(
        answer.hosts.map(({ hostId, state }: { hostId: string; state: string }) => [hostId, state]),
        [
          ["host-me", "draining"],
          ["host-mute", "unreachable"],
          ["host-old", "serving"]
        ]
      )
    }).pipe(Effect.provide(system))
  )

  it.live("actors says of whose actors it does not know, and counts those that live", () =>
    Effect.gen(function* () {
      const { answer } = yield* ask("actors", { top: 1 })
      assert.deepStrictEqual(
        answer.actors.map(({ key }: { key: string }) => key),
        ["b"]
      )
      assert.strictEqual(answer.residents, 1)
      assert.deepStrictEqual(answer.silent, ["host-mute", "host-old"])
      assert.deepStrictEqual((yield* ask("actors", { type: "other" })).answer.actors, [])
    }).pipe(Effect.provide(system))
  )

  it.live("drain asks the one host, and says which can't be asked", () =>
    Effect.gen(function* () {
      assert.deepInclude((yield* ask("drain", { host: "host-me" })).answer, { incarnation: "me", handovers: 2 })
      const mute = yield* ask("drain", { host: "host-mute" })
      assert.strictEqual(mute.code, "503")
      assert.match(mute.answer.error.message, /host-mute can't be told: nobody listens/)
      assert.match((yield* ask("drain", { host: "host-old" })).answer.error.message, /version 1/)
      const unknown = yield* ask("drain", { host: "x" })
      assert.strictEqual(unknown.code, "404")
      assert.deepInclude(unknown.answer.error, { tag: "UnknownHost", host: "x" })
    }).pipe(Effect.provide(system))
  )

  it.live("release raises the epoch, fences whoever has the actor, and tells the owner of its slot", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const address = { type: "counter", key: "a" }
      assert.strictEqual((yield* ask("release", address)).code, "404")
      yield* Counter.ref("a").ask("add", { by: 1 })
      const slot = keySubject(Stream.slots, ActorSubject.slotName("counters", slotOf(address)))
      yield* mesh.write(slot, Codec.toJson({ owner: "me", slotEpoch: 1 }))
      const { answer } = yield* ask("release", address)
      assert.deepStrictEqual(answer, { ...address, epoch: 2 })
      assert.deepStrictEqual(released, [address])
      const key = ActorSubject.actorKey(address)
      const record = yield* recordOf(key, yield* mesh.read(Stream.actors.name, keySubject(Stream.actors, key)))
      assert.deepInclude(record!, { owner: "", epoch: 2, state: { count: 1 } })
    }).pipe(Effect.provide(system))
  )

  it.live("release keeps what it does not know of a record, and lets any owner of the slot stamp it", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const address = { type: "counter", key: "later" }
      const subject = keySubject(Stream.actors, ActorSubject.actorKey(address))
      const record = { format: 1, slotEpoch: 7, epoch: 3, owner: "x", nonce: "n", state: { count: 1 }, ofLater: [1] }
      yield* mesh.write(subject, Codec.toJson(record))
      assert.strictEqual((yield* ask("release", address)).answer.epoch, 4)
      const { value } = Option.getOrThrow(yield* mesh.read(Stream.actors.name, subject))
      const { nonce, ...left } = JSON.parse(new TextDecoder().decode(Option.getOrThrow(value)))
      assert.notStrictEqual(nonce, "n")
      assert.deepStrictEqual(left, { ...left, format: 1, slotEpoch: 0, epoch: 4, owner: "", ofLater: [1] })
      // the host of this process owns since epoch 1
      assert.strictEqual(yield* Counter.ref("later").ask("add", { by: 1 }), 2)
    }).pipe(Effect.provide(system))
  )

  it.live("release of an actor without a record stops it where it is, and knows none that nobody has", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const [volatile, nobody] = ["volatile", "nobody"].map((key) => ({ type: "counter", key }))
      resident.add("volatile")
      for (const address of [volatile!, nobody!]) {
        const slot = keySubject(Stream.slots, ActorSubject.slotName("counters", slotOf(address)))
        yield* mesh.write(slot, Codec.toJson({ owner: "me", slotEpoch: 1 }))
      }
      assert.deepStrictEqual((yield* ask("release", volatile)).answer, { ...volatile, epoch: 0 })
      assert.deepStrictEqual(released.at(-1), volatile)
      const { answer, code } = yield* ask("release", nobody)
      assert.deepStrictEqual([code, answer.error.tag], ["404", "UnknownActor"])
    }).pipe(Effect.provide(system))
  )

  it.live("replay keeps the letter as long as the actor fails, and removes it when it was handled", () =>
    Effect.gen(function* () {
      const { id } = yield* letterOf
      const again = yield* ask("replay", { id })
      assert.strictEqual(again.answer.error.tag, "MessageDeadLettered")
      assert.strictEqual((yield* ask("letters", {})).answer.total, 1)
      yield* Counter.ref("a").ask("add", { by: 1 })
      assert.deepStrictEqual((yield* ask("replay", { id })).answer, { id, type: "counter", key: "a" })
      assert.deepStrictEqual((yield* ask("letters", {})).answer, { letters: [], total: 0 })
      assert.strictEqual((yield* ask("replay", { id })).answer.error.tag, "UnknownLetter")
    }).pipe(Effect.provide(system))
  )

  it.live("replay refuses an id of which several actors have a letter, and names them", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const letter = yield* letterOf
      const other = { ...letter, to: { type: "counter", key: "b" } }
      yield* mesh.write(ActorSubject.deadLetter(other.to, letter.id), Codec.toJson(other))
      const { answer, code } = yield* ask("replay", { id: letter.id })
      assert.strictEqual(code, "409")
      assert.deepInclude(answer.error, { tag: "AmbiguousLetter", addresses: ["counter/a", "counter/b"] })
      assert.strictEqual((yield* ask("letters", {})).answer.total, 2)
    }).pipe(Effect.provide(system))
  )

  it.live("what is no request is told so", () =>
    Effect.gen(function* () {
      for (const [verb, body] of [
        ["hosts", "x"],
        ["actors", { top: "many" }],
        ["replay", {}]
      ] as const) {
        const { answer, code } = yield* ask(verb, body)
        assert.strictEqual(code, "400")
        assert.strictEqual(answer.error.tag, "InvalidAdminRequest")
      }
    }).pipe(Effect.provide(system))
  )
})
