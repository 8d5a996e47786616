/** How fast is a host that does nothing but answer? */
import { connect } from "@nats-io/transport-node"
import { hostIsReady, startedWith } from "../child.ts"
import type { Answer, Question } from "../Load.ts"

const connection = await connect({ servers: startedWith().natsUrl })

const counts = new Map<string, number>()

connection.subscribe("bench.bare.*", {
  callback: (error, message) => {
    if (error !== null) throw error
    const { text }: Question = message.json()
    const count = (counts.get(message.subject) ?? 0) + 1
    counts.set(message.subject, count)
    const answer: Answer = { count, bytes: text.length }
    message.respond(JSON.stringify(answer))
  }
})

await connection.flush()
hostIsReady()
