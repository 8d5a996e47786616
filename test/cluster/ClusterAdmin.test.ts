/** Does a host answer operators for all hosts: also for those that can't, or don't? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger } from "effect"
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

const hostOf = (incarnation: string, protocolVersion = 2): SessionRecord => ({
  incarnation,
  hostId: `host-${incarnation}`,
  configurationHash: "",
  protocolVersion,
  startedAt: 1
})

const live = [hostOf("me"), hostOf("mute"), hostOf("old", 1)]

const unused = Effect.die("not asked of a session here")

const session = Layer.succeed(HostSession, {
  incarnation: "me",
  hostId: "host-me",
  labels: [],
  record: () => live[0]!,
  isValidNow: () => true,
  isValid: Effect.succeed(true),
  stretch: () => 1,
  silentMs: () => 0,
  live: Effect.succeed(live),
  isLive: () => unused,
  mayBury: Effect.succeed(true),
  mayMove: Effect.succeed(true),
  setDraining: Effect.void,
  draining: Effect.never,
  onRestored: () => Effect.void,
  onSilence: () => Effect.void
})

// it drains from the start, which must not keep operators from answers
const status = Layer.succeed(HostStatus, {
  state: () => "draining" as const,
  reason: () => "",
  draining: Effect.void
})

const released: Array<Address> = []

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
  release: (address) => Effect.sync(() => void released.push(address))
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
