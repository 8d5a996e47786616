/**
 * How does a test get a member of the present version, with actors that a member of version 1 has too?
 *
 * As a process: it joins the server, may own any actor of the type `counter`, and asks on behalf of the test.
 */
import type { NatsConnection } from "@nats-io/transport-node"
import { Effect } from "effect"
import { fileURLToPath } from "node:url"
import * as ReadyProcess from "../support/ReadyProcess.ts"
import type { V1Answer, V1Ask } from "./v1Ask.ts"
import { vectors } from "./v1Forms.ts"

/** A member of the present version. */
interface CurrentMember extends ReadyProcess.ReadyProcess {
  readonly incarnation: string
  /** Asks an actor from within the member, by the present code. */
  readonly ask: (ask: V1Ask) => Effect.Effect<V1Answer>
}

const program = fileURLToPath(new URL("../integration/counterMember.ts", import.meta.url))

/**
 * Starts the program and waits until it serves. The program
 *
 * - Takes `--nats <url> --host-id <id> --configuration-hash <hash>`, and announces that hash in its session;
 * - Provisions the streams, agrees on the manifest, and serves actors of the type `counter`, without a label: message
 *   `add`, payload `{ by }`, success `{ count }`, both integers; counting from 0;
 * - Prints one line when it is ready: `{ "incarnation": "…" }`;
 * - Answers requests on `test.ask.<host id>`, whose body is a `V1Ask` in JSON, with a `V1Answer` in JSON, asking with
 *   `budgetMs` as its deadline;
 * - Upon SIGTERM ends as `seamless up` does.
 */
export const startCurrentMember = Effect.fnUntraced(function* (nc: NatsConnection, servers: string, hostId: string) {
  const { configurationHash } = vectors.session.created.value
  const started = yield* ReadyProcess.start({
    program,
    args: ["--nats", servers, "--host-id", hostId, "--configuration-hash", configurationHash]
  })
  const { incarnation }: { readonly incarnation: string } = JSON.parse(started.line)
  const ask = (asked: V1Ask): Effect.Effect<V1Answer> =>
    Effect.promise(async () => {
      // it answers within the budget: the rest is for the way
      const reply = await nc.request(`test.ask.${hostId}`, JSON.stringify(asked), { timeout: asked.budgetMs + 5000 })
      return reply.json<V1Answer>()
    })
  return { ...started, incarnation, ask } satisfies CurrentMember
})
