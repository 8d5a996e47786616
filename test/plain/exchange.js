// How do a request and its replies travel? Builds the message of a request from its fields, publishes it with an inbox
// of its own, and gives the replies one by one, with deadlines, losses of the connection and AbortSignals.

import { createInbox, headers as createHeaders } from "@nats-io/transport-node"
import { Cancelled, codeOf, ConnectionLost, NoReply, NoResponders, SeamlessError, UnreadableReply } from "./errors.js"
import { encode } from "./MessagePack.js"
import { headerNames, mediaTypes, subjects } from "./names.js"
import { readBody } from "./rows.js"

/** `options`: form, dictionary, budgetMs, caller, call, credit, cursor, traceParent, baggage. */
export function buildRequest(operation, fields, options = {}) {
  const form = options.form ?? "json"
  const isMessagePack = form === "msgpack"
  const headers = { [headerNames.contentType]: isMessagePack ? mediaTypes.messagePack : mediaTypes.json }
  if (isMessagePack) headers[headerNames.accept] = mediaTypes.messagePack
  if (form === "arrow") headers[headerNames.accept] = mediaTypes.arrow + (options.dictionary ? "; dictionary=true" : "")
  const optional = ["budgetMs", "caller", "call", "credit", "cursor", "traceParent", "baggage"]
  for (const name of optional) if (options[name] !== undefined) headers[headerNames[name]] = String(options[name])
  const body = isMessagePack ? encode(fields) : Buffer.from(JSON.stringify(fields), "utf8")
  return { subject: subjects.operation(operation), headers, body }
}

/** A message of a reply: its headers by name, and its body, which is a SeamlessError where the reply is one. */
export function readReply(headers, bytes) {
  let body
  try {
    body = readBody(headers[headerNames.contentType], bytes)
  } catch (cause) {
    if (headers[headerNames.error] === undefined) throw new UnreadableReply(String(cause))
  }
  const tag = headers[headerNames.error]
  if (tag === undefined) return { headers, body, error: null }
  const code = Number(headers[headerNames.errorCode] ?? codeOf(tag))
  return { headers, body, error: new SeamlessError(tag, code, body) }
}

const plainHeaders = (headers) =>
  headers === undefined ? {} : Object.fromEntries([...headers].map(([name, values]) => [name, values[0]]))

export class Exchange {
  #connection
  #open = new Set()
  #waiting = new Set()
  #isConnected = true

  constructor(connection) {
    this.#connection = connection
    void this.#watchConnection()
  }

  async #watchConnection() {
    for await (const status of this.#connection.status()) {
      if (status.type === "disconnect") {
        this.#isConnected = false
        for (const replies of [...this.#open]) replies.fail(new ConnectionLost("the connection was lost"))
      } else if (status.type === "reconnect") {
        this.#isConnected = true
        for (const resume of [...this.#waiting]) resume()
      }
    }
  }

  /** Waits for the connection: what is published without one is lost, and no error says so. */
  async #connected(timeoutMs, signal) {
    if (this.#isConnected) return
    await new Promise((resolve, reject) => {
      const end = (settle) => {
        clearTimeout(timer)
        signal?.removeEventListener("abort", onAbort)
        this.#waiting.delete(resume)
        settle()
      }
      const resume = () => end(resolve)
      const onAbort = () => end(() => reject(new Cancelled("the request was called off")))
      const timer = setTimeout(() => end(() => reject(new NoReply("there is no connection"))), timeoutMs)
      signal?.addEventListener("abort", onAbort, { once: true })
      this.#waiting.add(resume)
    })
  }

  /** Publishes a request, and gives what comes to its inbox until it is closed. */
  async send({ subject, headers, body }, { timeoutMs, signal } = {}) {
    if (signal?.aborted) throw new Cancelled("the request was called off")
    await this.#connected(timeoutMs ?? 5_000, signal)
    const inbox = createInbox()
    const replies = new Replies(() => this.#open.delete(replies))
    replies.attach(this.#connection.subscribe(inbox, { callback: (error, message) => replies.take(error, message) }))
    this.#open.add(replies)
    try {
      this.publish(subject, body, { headers, reply: inbox })
    } catch (error) {
      replies.close()
      throw error
    }
    return replies
  }

  publish(subject, body, { headers, reply } = {}) {
    const natsHeaders = headers === undefined ? undefined : createHeaders()
    for (const [name, value] of Object.entries(headers ?? {})) natsHeaders.set(name, value)
    this.#connection.publish(subject, body, { headers: natsHeaders, reply })
  }
}

class Replies {
  #subscription = null
  #queue = []
  #waiter = null
  #failure = null
  #onClose

  constructor(onClose) {
    this.#onClose = onClose
  }

  attach(subscription) {
    this.#subscription = subscription
  }

  take(error, message) {
    if (error) return this.fail(new ConnectionLost(error.message))
    this.#queue.push({
      subject: message.subject,
      headers: plainHeaders(message.headers),
      data: message.data,
      status: message.headers?.code ?? 0
    })
    this.#waiter?.()
  }

  fail(error) {
    this.#failure ??= error
    this.#waiter?.()
  }

  /** The next message; NoReply where none has come after so long. */
  async next(timeoutMs, signal) {
    const deadline = performance.now() + timeoutMs
    for (;;) {
      if (signal?.aborted) throw new Cancelled("the request was called off")
      const message = this.#queue.shift()
      if (message?.status === 503 && message.data.length === 0) throw new NoResponders("no member listens")
      if (message !== undefined) return message
      if (this.#failure !== null) throw this.#failure
      const left = deadline - performance.now()
      if (left <= 0) throw new NoReply(`no reply came within ${Math.round(timeoutMs)} ms`)
      await this.#wait(left, signal)
    }
  }

  async #wait(timeoutMs, signal) {
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs)
      this.#waiter = () => {
        clearTimeout(timer)
        resolve()
      }
      signal?.addEventListener("abort", this.#waiter, { once: true })
    })
    signal?.removeEventListener("abort", this.#waiter)
    this.#waiter = null
  }

  close() {
    this.#subscription?.unsubscribe()
    this.#onClose()
  }
}
