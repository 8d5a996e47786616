/**
 * How fast is a host with the same headers and codec as ours, and a mailbox for each actor, in plain JavaScript?
 *
 * An actor handles one message at a time, and a handler may wait: what comes meanwhile stays in its mailbox.
 */
import { connect, type Msg } from "@nats-io/transport-node"
import { Option } from "effect"
import { pack, unpack } from "../../../protocol/wire/Codec.ts"
import { envelopeFormat } from "../../../protocol/wire/Envelope.ts"
import { Header } from "../../../protocol/wire/Header.ts"
import { hostIsReady, startedWith } from "../child.ts"
import type { Answer, Question } from "../Load.ts"
import { type Reply, type Request, subject } from "./wire.ts"

/** What is handed to an actor: the request, the caller's trace, and the way to answer. */
interface Mail {
  readonly request: Request<Question>
  readonly traceParent: string
  readonly message: Msg
}

interface Actor {
  readonly mailbox: Array<Mail>
  busy: boolean
  count: number
}

const actors = new Map<string, Actor>()

const actorOf = ({ key, type }: Request<Question>["to"]): Actor => {
  const address = `${type}/${key}`
  const known = actors.get(address)
  if (known !== undefined) return known
  const actor: Actor = { mailbox: [], busy: false, count: 0 }
  actors.set(address, actor)
  return actor
}

const handle = async (actor: Actor, { body }: Request<Question>): Promise<Answer> => {
  actor.count += 1
  return { count: actor.count, bytes: body.payload.text.length }
}

const drain = async (actor: Actor): Promise<void> => {
  actor.busy = true
  for (let mail = actor.mailbox.shift(); mail !== undefined; mail = actor.mailbox.shift()) {
    const body = await handle(actor, mail.request)
    mail.message.respond(pack({ format: envelopeFormat, body } satisfies Reply<Answer>))
  }
  actor.busy = false
}

const receive = (message: Msg): void => {
  const request = Option.getOrThrow(unpack(message.data)) as Request<Question>
  const actor = actorOf(request.to)
  actor.mailbox.push({ request, traceParent: message.headers?.get(Header.traceParent) ?? "", message })
  if (!actor.busy) void drain(actor)
}

const connection = await connect({ servers: startedWith().natsUrl })

connection.subscribe(subject, {
  callback: (error, message) => {
    if (error !== null) throw error
    receive(message)
  }
})

await connection.flush()
hostIsReady()
