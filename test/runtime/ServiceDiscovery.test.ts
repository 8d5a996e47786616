/** Is a host found as a micro service, and does it tell what it was asked? */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { Effect, Layer } from "effect"
import { serviceVersion } from "../../protocol/wire/Micro.ts"
import { service } from "../../protocol/wire/Subject.ts"
import { HostStatus } from "../../runtime/HostStatus.ts"
import { LiveHosts } from "../../runtime/LiveHosts.ts"
import * as MemoryMesh from "../../runtime/MemoryMesh.ts"
import { Mesh } from "../../runtime/Mesh.ts"
import { errorReply, serve, valueReply } from "../../runtime/ServiceEndpoint.ts"
import * as ServiceDiscovery from "../../runtime/ServiceDiscovery.ts"
import * as ServiceFigures from "../../runtime/ServiceFigures.ts"

const status = Layer.succeed(HostStatus, { state: () => "serving", reason: () => "", draining: Effect.never })
const liveHosts = Layer.succeed(LiveHosts, {
  incarnation: "i1",
  isDead: () => Effect.succeed(false),
  isValid: Effect.succeed(true)
})

const host = ServiceDiscovery.layer({ hostId: "host a" }).pipe(
  Layer.provideMerge(Layer.mergeAll(ServiceFigures.layer, status, liveHosts, MemoryMesh.layer))
)

const ask = Effect.fnUntraced(function* (subject: string) {
  const mesh = yield* Mesh
  const { data } = yield* mesh.request(subject, new Uint8Array(0), { timeoutMs: 1000 })
  return JSON.parse(new TextDecoder().decode(data))
})

const identity = { name: "seamless", id: "i1", version: serviceVersion, metadata: { hostId: "host a" } }

describe("ServiceDiscovery", () => {
  it("the version is the package's", () => {
    const file: { readonly version: string } = JSON.parse(readFileSync("package.json", "utf8"))
    assert.strictEqual(serviceVersion, file.version)
    assert.match(serviceVersion, /^\d+\.\d+\.\d+$/)
  })

  it.effect("answers whoever asks all, those of its name, or itself", () =>
    Effect.gen(function* () {
      for (const whom of ["", ".seamless", ".seamless.i1"]) {
        const type = "io.nats.micro.v1.ping_response"
        assert.deepStrictEqual(yield* ask(`$SRV.PING${whom}`), { ...identity, type })
        assert.strictEqual((yield* ask(`$SRV.INFO${whom}`)).type, "io.nats.micro.v1.info_response")
        assert.strictEqual((yield* ask(`$SRV.STATS${whom}`)).type, "io.nats.micro.v1.stats_response")
      }
    }).pipe(Effect.provide(host))
  )

  it.effect("tells each endpoint, its subject and its queue group", () =>
    Effect.gen(function* () {
      const { endpoints, ...rest } = yield* ask("$SRV.INFO.seamless")
      const description = "Gap-free market history: reads, and what is covered"
      assert.deepStrictEqual(rest, { ...identity, type: "io.nats.micro.v1.info_response", description })
      const expected = Object.entries(service).map(([name, subject]) => {
        return { name, subject, queue_group: "seamless", metadata: {} }
      })
      assert.deepStrictEqual(endpoints, expected)
    }).pipe(Effect.provide(host))
  )

  it.effect("tells how much was asked, what failed last, and how long it took", () =>
    Effect.gen(function* () {
      const replies = [valueReply({}), errorReply({ _tag: "UnknownSeries", message: "none" }), valueReply({})]
      yield* serve(new Map([[service.read, () => Effect.sync(() => replies.shift()!)]]))
      for (let each = 0; each < 3; each++) yield* ask(service.read)
      const { endpoints, started } = yield* ask("$SRV.STATS.seamless.i1")
      assert.strictEqual(started, "1970-01-01T00:00:00.000Z")
      const named = (name: string) => endpoints.find((endpoint: { readonly name: string }) => endpoint.name === name)
      const [read, ensure] = [named("read"), named("ensure")]
      assert.deepInclude(read, { name: "read", num_requests: 3, num_errors: 1, last_error: "404:UnknownSeries" })
      assert.deepInclude(read, { processing_time: 0, average_processing_time: 0 })
      assert.deepInclude(ensure, { name: "ensure", num_requests: 0, num_errors: 0, last_error: "" })
    }).pipe(Effect.scoped, Effect.provide(host))
  )
})
