/** What does a program see that connects to nothing? */
import { assert, it } from "vitest"
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
