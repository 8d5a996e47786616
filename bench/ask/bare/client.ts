/**
 * How fast is asking with nothing but the NATS library's own request?
 *
 * As it comes: for each ask the library sets a timer and keeps two stack traces. Who does without them, like moleculer,
 * can be faster than this loop.
 */
import { connect } from "@nats-io/transport-node"
import { clientIsReady, startedWith } from "../child.ts"
import type { Answer } from "../Load.ts"
import { promiseLane } from "../takeSample.ts"

const timeoutMs = 10_000

const connection = await connect({ servers: startedWith().natsUrl })

const lane = promiseLane(async (key, question) => {
  const reply = await connection.request(`bench.bare.${key}`, JSON.stringify(question), { timeout: timeoutMs })
  return reply.json<Answer>()
})

await clientIsReady(lane)
