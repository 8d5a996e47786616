/** What does a program see that connects to nothing? */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { once } from "node:events"
import { createServer, type Socket } from "node:net"
import { connect, SeamlessError } from "seamless"

it("connect() rejects with a SeamlessError that names the address where no server is", async () => {
  // port 1 is reserved, and nobody listens on it
  const error: unknown = await connect({ servers: "nats://127.0.0.1:1", timeoutMs: 2000 }).catch(
    (cause: unknown) => cause
  )
  assert.instanceOf(error, SeamlessError)
  assert.deepInclude(error, { tag: "MeshUnavailable", code: 503 })
  assert.include(error.message, "nats://127.0.0.1:1")
})

it.effect("connect() that gives up leaves no connection behind to a server that greets later", () =>
  Effect.gen(function* () {
    const greeting = `INFO ${JSON.stringify({ version: "2.12.0", max_payload: 1e6, proto: 1, headers: true })}\r\n`
    const server = createServer()
    yield* Effect.acquireRelease(
      Effect.promise(() => once(server.listen(0, "127.0.0.1"), "listening")),
      () => Effect.sync(() => server.close())
    )
    const address = server.address()
    const port = typeof address === "object" ? address?.port : undefined
    const accepted = once(server, "connection")
    const options = { servers: `nats://127.0.0.1:${port}`, timeoutMs: 20 }
    const error: unknown = yield* Effect.promise(() => connect(options).catch((cause: unknown) => cause))
    assert.deepInclude(error, { tag: "MeshUnavailable" })
    const [socket]: ReadonlyArray<Socket> = yield* Effect.promise(() => accepted)
    const closed = once(socket!, "close")
    socket!.on("data", (data) => void (data.includes("PING") && socket!.write("PONG\r\n")))
    socket!.write(greeting)
    yield* Effect.promise(() => closed)
  })
)
