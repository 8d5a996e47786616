/** How does an operation of the port end when the link loses, repeats or delays what it carries? */
import { Effect, Exit, type Fiber, Option, Scope } from "effect"
import { assert, describe, it } from "vitest"
import * as Stream from "../../../protocol/wire/Stream.ts"
import { keySubject } from "../../../protocol/wire/StreamSpec.ts"
import { Mesh, type MeshShape } from "../../../runtime/Mesh.ts"
import type { Link, Parcel } from "../../../runtime/simulated/Link.ts"
import * as SimulatedMesh from "../../../runtime/simulated/SimulatedMesh.ts"
import * as SimulatedServer from "../../../runtime/simulated/SimulatedServer.ts"
import { handTime } from "./handTime.ts"

const bytes = (text: string) => new TextEncoder().encode(text)
const textOf = (data: Uint8Array) => new TextDecoder().decode(data)
const subject = keySubject(Stream.actors, "k")

/** What a link does with each parcel. */
type Treatment = (way: "toServer" | "toProcess", parcel: Parcel, act: () => void) => void

const pass: Treatment = (_way, _parcel, act) => act()

/** Loses all of one way. */
const losing =
  (lost: "toServer" | "toProcess"): Treatment =>
  (way, _parcel, act) => {
    if (way !== lost) act()
  }

/** What became of an effect so far. */
const outcomeOf = <A, E>(fiber: Fiber.Fiber<A, E>): string => {
  const exit = fiber.pollUnsafe()
  if (exit === undefined) return "waits"
  if (Exit.isSuccess(exit)) return "done"
  const failure = Option.getOrUndefined(Exit.findErrorOption(exit))
  return typeof failure === "object" && failure !== null && "_tag" in failure ? String(failure._tag) : "died"
}

const makeClient = () => {
  const time = handTime()
  const server = SimulatedServer.make({ nowMs: time.nowMs, schedule: time.schedule, streams: Stream.every })
  const net = { treat: pass, isUp: true, lagMs: 0 }
  const handlers = new Set<() => void>()
  const link: Link = {
    carry: (way, parcel, act) => net.treat(way, parcel, act),
    isUp: () => net.isUp,
    onReconnect: (handler) => {
      handlers.add(handler)
      return () => void handlers.delete(handler)
    },
    after: time.after,
    readLagMs: () => net.lagMs
  }
  const mesh = SimulatedMesh.make(server, link, "a")
  const standing = () => server.entries(Stream.actors.name).map(({ data, revision }) => `${textOf(data)}@${revision}`)
  const back = (): void => {
    net.isUp = true
    for (const handler of handlers) handler()
  }
  return { ...time, server, link, net, mesh, standing, back }
}

/** How long an operation waits until it ends, and how it does. */
const waitOf = (
  client: ReturnType<typeof makeClient>,
  run: Effect.Effect<unknown, unknown>
): readonly [string, number] => {
  const fiber = Effect.runFork(run)
  let waitedMs = 0
  while (outcomeOf(fiber) === "waits" && waitedMs < 60_000) {
    client.pass(100)
    waitedMs += 100
  }
  return [outcomeOf(fiber), waitedMs]
}

type Operation = (mesh: MeshShape) => Effect.Effect<unknown, unknown>

const operations: ReadonlyArray<readonly [string, Operation, number, string]> = [
  ["write", (mesh) => mesh.write(subject, bytes("a")), 2000, "MeshUnavailable"],
  ["read", (mesh) => mesh.read(Stream.actors.name, subject), 5000, "MeshUnavailable"],
  ["readMany", (mesh) => mesh.readMany(Stream.actors.name, [subject]), 5000, "MeshUnavailable"],
  ["history", (mesh) => mesh.history(Stream.actors.name, subject), 5000, "MeshUnavailable"],
  ["enqueue", (mesh) => mesh.enqueue("seamless.v1.jobs.interactive.0.w", bytes("a")), 5000, "MeshUnavailable"],
  ["dequeue", (mesh) => mesh.dequeue(Stream.queue.name, "seamless.v1.jobs.interactive.0.w"), 5000, "MeshUnavailable"],
  ["take", (mesh) => mesh.take(Stream.queue.name, "interactive"), 1500, "MeshUnavailable"],
  ["request", (mesh) => mesh.request("s", bytes("a"), { timeoutMs: 300 }), 300, "DeadlineExceeded"],
  ["subscribe", (mesh) => Effect.scoped(mesh.subscribe("s", () => undefined)), 5000, "MeshUnavailable"],
  ["caughtUp", (mesh) => mesh.caughtUp, 5000, "done"]
]

describe("what is lost on its way", () => {
  it.each(operations)("%s() without an answer ends within its bound", (_name, run, boundMs, outcome) => {
    for (const way of ["toServer", "toProcess"] as const) {
      const client = makeClient()
      client.net.treat = losing(way)
      assert.deepStrictEqual(waitOf(client, run(client.mesh)), [outcome, boundMs])
    }
  })

  it("write() whose answer is lost has taken effect, and one that is lost itself has not", () => {
    const client = makeClient()
    client.net.treat = losing("toServer")
    waitOf(client, client.mesh.write(subject, bytes("lost"), { expect: 0 }))
    assert.deepStrictEqual(client.standing(), [])
    client.net.treat = losing("toProcess")
    waitOf(client, client.mesh.write(subject, bytes("a"), { expect: 0 }))
    assert.deepStrictEqual(client.standing(), ["a@1"])
  })

  it("an answer that comes after the bound changes nothing", () => {
    const client = makeClient()
    const held: Array<() => void> = []
    client.net.treat = (way, _parcel, act) => (way === "toServer" ? act() : held.push(act))
    assert.deepStrictEqual(waitOf(client, client.mesh.write(subject, bytes("a"))), ["MeshUnavailable", 2000])
    for (const act of held) act()
    client.net.treat = pass
    assert.deepStrictEqual(waitOf(client, client.mesh.write(subject, bytes("b"), { expect: 1 })), ["done", 0])
  })

  it("subscribe() that failed leaves nobody listening", () => {
    const client = makeClient()
    client.net.treat = losing("toProcess")
    waitOf(client, Effect.scoped(client.mesh.subscribe("s", () => undefined)))
    client.net.treat = pass
    const asked = client.mesh.request("s", bytes("a"), { timeoutMs: 1000 })
    assert.deepStrictEqual(waitOf(client, asked), ["NoResponders", 0])
  })

  it("a subscription whose end the server does not confirm has ended after a second", () => {
    const client = makeClient()
    const got: Array<string> = []
    const scope = Effect.runSync(Scope.make())
    const subscribed = client.mesh.subscribe("s", ({ data }) => void got.push(textOf(data)))
    assert.deepStrictEqual(waitOf(client, Scope.provide(subscribed, scope)), ["done", 0])
    client.net.treat = losing("toServer")
    assert.deepStrictEqual(waitOf(client, Scope.close(scope, Exit.void)), ["done", 1000])
    client.server.publish({ client: "b", subject: "s", data: bytes("late") })
    assert.deepStrictEqual(got, [])
  })
})

describe("what comes twice", () => {
  it("write() that arrives twice is done twice, and answered once", () => {
    const client = makeClient()
    client.net.treat = (_way, _parcel, act) => {
      act()
      act()
    }
    assert.deepStrictEqual(waitOf(client, client.mesh.write(subject, bytes("a"), { expect: 0 })), ["done", 0])
    assert.deepStrictEqual(client.standing(), ["a@1"])
    assert.deepStrictEqual(waitOf(client, client.mesh.write(subject, bytes("b"))), ["done", 0])
    assert.deepStrictEqual(client.standing(), ["b@3"])
  })

  it("take() that arrives twice takes twice, and what nobody hears of comes again", () => {
    const client = makeClient()
    const [first, second] = ["v", "w"].map((window) => `seamless.v1.jobs.interactive.0.${window}`)
    for (const one of [first!, second!]) waitOf(client, client.mesh.enqueue(one, bytes("")))
    client.net.treat = (_way, _parcel, act) => {
      act()
      act()
    }
    assert.deepStrictEqual(waitOf(client, client.mesh.take(Stream.queue.name, "interactive")), ["done", 0])
    client.net.treat = pass
    client.pass(4000)
    const taken = ["", ""].map(() => Effect.runSync(client.mesh.take(Stream.queue.name, "interactive")))
    assert.deepStrictEqual(
      taken.map((one) => Option.getOrThrow(one).subject),
      [first, second]
    )
  })
})

describe("a handler that fails", () => {
  it("spoils neither the others nor what comes next", () => {
    const client = makeClient()
    const got: Array<string> = []
    const life = Effect.gen(function* () {
      const { mesh } = client
      yield* mesh.subscribe("s", ({ data }) => {
        assert.notStrictEqual(textOf(data), "1")
        got.push(`first ${textOf(data)}`)
      })
      yield* mesh.subscribe("s", ({ data }) => void got.push(`second ${textOf(data)}`))
      yield* mesh.onReconnect(() => assert.fail())
      yield* mesh.onReconnect(() => void got.push("back"))
      yield* mesh.publish("s", bytes("1"))
      yield* mesh.publish("s", bytes("2"))
      client.back()
    })
    Effect.runSync(Effect.scoped(life))
    assert.deepStrictEqual(got, ["second 1", "first 2", "second 2", "back"])
  })
})

describe("what is sent while something is told", () => {
  it("comes after it, for everyone, and a change is announced before whoever made it is told", () => {
    const client = makeClient()
    const got: Array<string> = []
    const life = Effect.gen(function* () {
      const { mesh } = client
      const services = yield* Effect.context()
      const changes = "seamless.v1.changed.slots.k"
      yield* mesh.subscribe(changes, ({ data }) => {
        got.push(`first ${textOf(data)}`)
        const again = Effect.andThen(
          mesh.write(keySubject(Stream.slots, "k"), bytes("2")),
          Effect.sync(() => got.push("written 2"))
        )
        if (textOf(data) === "1") Effect.runForkWith(services)(again)
      })
      yield* mesh.subscribe(changes, ({ data }) => void got.push(`second ${textOf(data)}`))
      yield* mesh.write(keySubject(Stream.slots, "k"), bytes("1"))
      got.push("written 1")
    })
    Effect.runSync(Effect.scoped(life))
    assert.deepStrictEqual(got, ["first 1", "second 1", "first 2", "second 2", "written 2", "written 1"])
  })
})

describe("a replica that is behind", () => {
  it("answers with what stood then", () => {
    const client = makeClient()
    waitOf(client, client.mesh.write(subject, bytes("old")))
    client.pass(1000)
    waitOf(client, client.mesh.write(subject, bytes("new")))
    client.net.lagMs = 500
    const [found] = Effect.runSync(client.mesh.readMany(Stream.actors.name, [subject]))
    assert.strictEqual(textOf(Option.getOrThrow(found!.value)), "old")
  })
})

describe("layer", () => {
  it("is forgotten by the server with its scope", () => {
    const { link, mesh, server } = makeClient()
    const life = Effect.gen(function* () {
      const other = yield* Mesh
      yield* Effect.forkScoped(
        Effect.scoped(
          Effect.andThen(
            other.subscribe("s", ({ respond }) => respond(bytes("here"))),
            Effect.never
          )
        ),
        {
          startImmediately: true
        }
      )
      return textOf((yield* mesh.request("s", bytes("a"), { timeoutMs: 1000 })).data)
    })
    assert.strictEqual(
      Effect.runSync(Effect.scoped(life).pipe(Effect.provide(SimulatedMesh.layer(server, link, "b")))),
      "here"
    )
    const asked = Effect.flip(mesh.request("s", bytes("a"), { timeoutMs: 1000 }))
    assert.strictEqual(Effect.runSync(asked)._tag, "NoResponders")
  })
})
