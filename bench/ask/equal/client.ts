/** How fast is asking with the same headers and codec as ours, in plain JavaScript? */
import { randomBytes } from "node:crypto"
import { connect, headers } from "@nats-io/transport-node"
import { Option } from "effect"
import { pack, unpack } from "../../../protocol/wire/Codec.ts"
import { envelopeFormat } from "../../../protocol/wire/Envelope.ts"
import { Header } from "../../../protocol/wire/Header.ts"
import { clientIsReady, startedWith } from "../child.ts"
import type { Answer, Question } from "../Load.ts"
import { promiseLane } from "../takeSample.ts"
import { type Reply, type Request, subject } from "./wire.ts"

const budgetMs = 10_000

const traceId = randomBytes(16).toString("hex")
const cause = randomBytes(8).toString("hex")

let asked = 0

const traceParent = (): string => `00-${traceId}-${asked.toString(16).padStart(16, "0")}-01`

const requestTo = (key: string, payload: Question): Request<Question> => ({
  format: envelopeFormat,
  to: { type: "bench", key },
  id: `${cause}-${asked}`,
  cause,
  budgetMs,
  body: { message: "count", payload }
})

const connection = await connect({ servers: startedWith().natsUrl })

const lane = promiseLane(async (key, question) => {
  asked += 1
  const withTrace = headers()
  withTrace.set(Header.traceParent, traceParent())
  const reply = await connection.request(subject, pack(requestTo(key, question)), {
    timeout: budgetMs,
    headers: withTrace
  })
  const { body } = Option.getOrThrow(unpack(reply.data)) as Reply<Answer>
  return body
})

await clientIsReady(lane)
