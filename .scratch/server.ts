import { Effect } from "effect"
import * as EmbeddedServer from "../runtime/nats/EmbeddedServer.ts"
import { mkdtempSync } from "node:fs"
Effect.runPromise(Effect.scoped(Effect.gen(function*(){ const {url} = yield* EmbeddedServer.start({ dataDir: mkdtempSync("/tmp/ex-"), binary: "/work/main/.bin/nats-server" }); console.log(url); yield* Effect.never })))
