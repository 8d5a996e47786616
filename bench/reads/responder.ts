/**
 * How fast is a process that does nothing but answer, with as many bytes as it is told?
 *
 * A question is the lengths of the parts of its answer. The parts beyond the first wait for credit, in the headers that
 * the product has for it, so that one reader takes both.
 */
import process from "node:process"
import { connect, createInbox, headers, type Msg, type NatsConnection } from "@nats-io/transport-node"
import { Header } from "../../protocol/wire/Header.ts"
import { raw } from "./raw.ts"

const [servers = ""] = process.argv.slice(2)

const content = new Uint8Array(8 * 1024 * 1024).map((_, at) => at % 251)

const sendParts = (connection: NatsConnection, message: Msg, lengths: ReadonlyArray<number>): void => {
  const flow = createInbox()
  let credit = Number(message.headers?.get(Header.credit))
  let part = 0
  const send = (): void => {
    for (; credit > 0 && part < lengths.length; credit--, part++) {
      const about = headers()
      about.set(Header.part, String(part))
      about.set(Header.flow, flow)
      if (part === lengths.length - 1) about.set(Header.last, "true")
      message.respond(content.subarray(0, lengths[part]), { headers: about })
    }
    if (part === lengths.length) granted.unsubscribe()
  }
  const granted = connection.subscribe(flow, {
    callback: (_, { data }) => {
      credit += Number(new TextDecoder().decode(data))
      send()
    }
  })
  send()
}

const connection = await connect({ servers })

connection.subscribe(raw, {
  callback: (error, message) => {
    if (error !== null) throw error
    const lengths = message.json<ReadonlyArray<number>>()
    if (message.headers === undefined) message.respond(content.subarray(0, lengths[0]))
    else sendParts(connection, message, lengths)
  }
})

await connection.flush()
process.once("disconnect", () => process.exit())
process.send?.("ready")
