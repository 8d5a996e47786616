/** Does a host get its slots back when storage has lost their records, and does it ask no more of a server than needed? */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Layer, Option, Schema } from "effect"
import { keySubject } from "../../protocol/wire/StreamSpec.ts"
import * as Codec from "../../protocol/wire/Codec.ts"
import { SlotValue } from "../../protocol/wire/HostRecords.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import { Mesh } from "../../runtime/Mesh.ts"
import * as SimulatedMesh from "../../runtime/simulated/SimulatedMesh.ts"
import * as SimulatedServer from "../../runtime/simulated/SimulatedServer.ts"
import { idleClock } from "../runtime/simulated/idleClock.ts"
import * as SwitchedLink from "../runtime/simulated/SwitchedLink.ts"
import * as SlotHost from "../support/SlotHost.ts"
import { untilTrue } from "../support/untilTrue.ts"
import { slotsOf } from "./slots.ts"

const slots = slotsOf("")

/** A server, and a way to start hosts beside it. */
const makeWorld = () => {
  const clock = idleClock()
  const server = SimulatedServer.make({
    nowMs: () => clock.currentTimeMillisUnsafe(),
    schedule: SwitchedLink.alarmsOf(clock)
  })
  let writes = 0
  const portOf = (client: string) => {
    const link = SwitchedLink.make({ delayMsMax: 0, lagMsMax: 0, clock, onLost: () => server.disconnect(client) })
    const mesh = SimulatedMesh.make(server, link, client)
    const write: typeof mesh.write = (...all) => Effect.suspend(() => ((writes += 1), mesh.write(...all)))
    return Layer.succeed(Mesh, Mesh.of({ ...mesh, write }))
  }
  return {
    clock,
    server,
    writes: () => writes,
    start: (hostId: string) => SlotHost.start({ servers: portOf(hostId), hostId })
  }
}

const decodeValue = Schema.decodeUnknownOption(SlotValue)

/** Who owns each slot, and since when, as the server has it. */
const standingIn = (server: SimulatedServer.SimulatedServer): ReadonlyMap<string, SlotValue> =>
  new Map(
    server
      .entries(Stream.slots.name)
      .flatMap(({ data, subject }) =>
        Option.toArray(
          Option.map(Option.flatMap(Codec.fromJson(data), decodeValue), (value) => [subject, value] as const)
        )
      )
  )

type Host = Effect.Success<ReturnType<typeof SlotHost.start>>

/** Whether a host holds every slot, by the epoch that stands, and that is such a one. */
const holdsAll = (host: Host, server: SimulatedServer.SimulatedServer, isWanted: (slotEpoch: number) => boolean) => {
  const standing = standingIn(server)
  return slots.every((slot) => {
    const tenure = host.tenures.get(slot)
    const record = standing.get(keySubject(Stream.slots, slot))
    if (tenure?.isValid() !== true || record?.owner !== host.incarnation) return false
    return record.slotEpoch === tenure.slotEpoch && isWanted(tenure.slotEpoch)
  })
}

const until = (what: string, isTrue: () => boolean) => untilTrue(what, Effect.sync(isTrue))

const run = <A, E>(test: (world: ReturnType<typeof makeWorld>) => Effect.Effect<A, E>) =>
  Effect.suspend(() => {
    const world = makeWorld()
    return Effect.provideService(test(world), Clock.Clock, world.clock)
  })

describe("claimSlots() where storage has lost something", () => {
  it.live("claimSlots() claims all slots again whose records were lost, with later epochs than it ever had", () =>
    run(({ clock, server, start }) =>
      Effect.gen(function* () {
        const beforeMs = clock.currentTimeMillisUnsafe()
        const host = yield* start("a")
        yield* until("all is claimed", () => holdsAll(host, server, (slotEpoch) => slotEpoch === 1))
        yield* Effect.sleep(100)
        server.rollBack({ streams: [Stream.slots.name], keepUntilMs: beforeMs - 1 })
        assert.strictEqual(server.entries(Stream.slots.name).length, 0)
        yield* until("all is claimed anew", () => holdsAll(host, server, (slotEpoch) => slotEpoch === 2))
      }).pipe(Effect.scoped)
    )
  )

  it.live("claimSlots() claims a slot again that was outbid by the record of an actor, above what stands there", () =>
    run(({ server, start }) =>
      Effect.gen(function* () {
        const host = yield* start("a")
        yield* until("all is claimed", () => holdsAll(host, server, (slotEpoch) => slotEpoch === 1))
        // the quiet in which it looks but now and then
        yield* Effect.sleep("10 seconds")
        const { claims } = host.claims.counts()
        const slot = slots[7]!
        const outbid = host.tenures.get(slot)!
        const sinceMs = yield* Clock.currentTimeMillis
        outbid.onOutbid(9)
        yield* until("it has the slot again", () => host.tenures.get(slot)?.slotEpoch === 10)
        assert.isTrue(outbid.hasEnded())
        assert.isBelow((yield* Clock.currentTimeMillis) - sinceMs, 100)
        assert.isTrue(holdsAll(host, server, (slotEpoch) => slotEpoch === 1 || slotEpoch === 10))
        assert.strictEqual(host.claims.counts().claims, claims + 1)
      }).pipe(Effect.scoped)
    )
  )
})

describe("claimSlots() where slots can't be written", () => {
  it.live("claimSlots() tries to give a slot back as often as it looks at slots, and not at once again", () =>
    run(({ server, start, writes }) =>
      Effect.gen(function* () {
        const host = yield* start("a")
        yield* until("all is claimed", () => holdsAll(host, server, (slotEpoch) => slotEpoch === 1))
        yield* Effect.sleep("10 seconds")
        server.setWritable(false, { writes: "refused", streams: [Stream.slots.name] })
        // half of the slots should be the other's
        const other = yield* Effect.forkScoped(start("b"))
        yield* Effect.sleep("5 seconds")
        const before = writes()
        yield* Effect.sleep("10 seconds")
        // sixteen slots at most, each twice a second, by each host; and their sessions
        assert.isAtMost(writes() - before, 10 * (2 * 2 * 16 + 10))
        server.setWritable(true)
        yield* until("each has a part", () => host.tenures.size > 0 && host.tenures.size < slots.length)
        assert.isDefined(other)
      }).pipe(Effect.scoped)
    )
  )
})
