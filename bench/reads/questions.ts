/**
 * What is asked, of whom, and what comes of it?
 *
 * Each question is asked with the client library of NATS and nothing else, and gives the bytes that came. A reader of
 * parts grants one more for each that it took.
 */
import assert from "node:assert/strict"
import { createInbox, headers, type Msg, type MsgHdrs, type NatsConnection } from "@nats-io/transport-node"
import { Header, MediaType } from "../../protocol/wire/Header.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import type { Range } from "../../protocol/history/Range.ts"
import { raw } from "./raw.ts"
import { series } from "./story.ts"

/** Asks once; gives the lengths of the messages that were the answer. It is given the number of the question. */
export type Question = (asked: number) => Promise<ReadonlyArray<number>>

const timeoutMs = 20_000

/** Parts that may be on their way. */
const credits = 8

const refuseErrors = ({ data, headers: given }: Msg): void => {
  if (given?.has(Header.error)) assert.fail(new TextDecoder().decode(data))
}

const readHeaders = (): MsgHdrs => {
  const about = headers()
  about.set(Header.accept, MediaType.arrow)
  return about
}

const readBody = ([start, end]: Range): string => JSON.stringify({ ...series, start, end })

/** A read of the product, in one message. */
export const read =
  (connection: NatsConnection, rangeOf: (asked: number) => Range): Question =>
  async (asked) => {
    const options = { timeout: timeoutMs, headers: readHeaders() }
    const reply = await connection.request(Subject.service.read, readBody(rangeOf(asked)), options)
    refuseErrors(reply)
    return [reply.data.length]
  }

/** As many bytes from the plain responder, in one message. */
export const plain =
  (connection: NatsConnection, bytes: number): Question =>
  async () => {
    const reply = await connection.request(raw, JSON.stringify([bytes]), { timeout: timeoutMs })
    return [reply.data.length]
  }

/** Asks for parts; gives their lengths when the last has come. */
const askParts = (connection: NatsConnection, subject: string, body: string, about: MsgHdrs) => {
  const { promise, reject, resolve } = Promise.withResolvers<ReadonlyArray<number>>()
  const inbox = createInbox()
  const lengths: Array<number> = []
  const subscription = connection.subscribe(inbox, {
    callback: (error, message) => {
      if (error !== null) return reject(error)
      lengths.push(message.data.length)
      const flow = message.headers?.get(Header.flow) ?? ""
      if (message.headers?.has(Header.error)) reject(new Error(new TextDecoder().decode(message.data)))
      else if (flow === "" || message.headers?.has(Header.last)) resolve(lengths)
      else connection.publish(flow, "1")
    }
  })
  about.set(Header.credit, String(credits))
  connection.publish(subject, body, { reply: inbox, headers: about })
  return promise.finally(() => subscription.unsubscribe())
}

/** A read of the product, in parts. */
export const readParts =
  (connection: NatsConnection, range: Range): Question =>
  () =>
    askParts(connection, Subject.service.read, readBody(range), readHeaders())

/** Parts of these lengths from the plain responder. */
export const plainParts =
  (connection: NatsConnection, lengths: ReadonlyArray<number>): Question =>
  () =>
    askParts(connection, raw, JSON.stringify(lengths), headers())

/** The stored bytes under these subjects, by one batch get of the server's. */
export const batchGet =
  (connection: NatsConnection, subjectsOf: (asked: number) => ReadonlyArray<string>): Question =>
  (asked) => {
    const { promise, reject, resolve } = Promise.withResolvers<ReadonlyArray<number>>()
    const inbox = createInbox()
    const lengths: Array<number> = []
    const subscription = connection.subscribe(inbox, {
      callback: (error, message) => {
        if (error !== null) return reject(error)
        const code = message.headers?.code ?? 0
        if (code === 204) resolve(lengths)
        else if (code >= 400) reject(new Error(`${code} ${message.headers?.description}`))
        else lengths.push(message.data.length)
      }
    })
    const body = JSON.stringify({ multi_last: subjectsOf(asked) })
    connection.publish(`$JS.API.DIRECT.GET.${Stream.chunks.name}`, body, { reply: inbox })
    return promise.finally(() => subscription.unsubscribe())
  }
