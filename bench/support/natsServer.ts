/** How does a bench get a NATS server of its own, which is gone with the scope? */
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import * as EmbeddedServer from "../../runtime/nats/EmbeddedServer.ts"

const findServer = (): string =>
  execFileSync(process.execPath, [join(import.meta.dirname, "../../scripts/natsServer.ts")], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"]
  }).trim()

const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "seamless-bench-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true, maxRetries: 5 }))
)

/** A server on a folder of its own, both gone with the scope; gives its address. */
export const startServer = Effect.gen(function* () {
  const { url } = yield* EmbeddedServer.start({ dataDir: yield* temporaryFolder, binary: findServer() })
  return url
})
