// How does a program ask Seamless for market history? Connects by NATS, and sends reads and the other requests within
// the caller's time, again where the protocol says so, in any of the three forms, in one message or in parts.

import { randomUUID } from "node:crypto"
import { connect } from "@nats-io/transport-node"
import { collectParts, readManyInParts, readParts } from "./answerInParts.js"
import { Cancelled, codeOf, NoReply, pauseBeforeRetry, SeamlessError } from "./errors.js"
import { buildRequest, Exchange, readReply } from "./exchange.js"
import { fingerprint } from "./hashes.js"
import { parseInterval, subjects } from "./names.js"
import { pause } from "./pause.js"
import { Watch, watchKey } from "./watch.js"

const graceMs = 1_000
const endsAfterMs = { coverage: 5_000, explain: 5_000, diff: 15_000, health: 5_000 }

export class SeamlessClient {
  #connection
  #exchange
  #caller
  #timeoutMs

  constructor(connection, { caller = randomUUID(), timeoutMs = 30_000 } = {}) {
    this.#connection = connection
    this.#exchange = new Exchange(connection)
    this.#caller = caller
    this.#timeoutMs = timeoutMs
  }

  static async connect(url, options = {}) {
    return new SeamlessClient(await connect({ servers: url, maxReconnectAttempts: -1 }), options)
  }

  async close() {
    await this.#connection.close()
  }

  /** Options of each request: `form` (json, msgpack, arrow), `timeoutMs`, `signal`, `dictionary`, `traceParent`. */
  read(fields, options) {
    return this.#request("read", fields, options)
  }

  ensure(fields, options) {
    return this.#request("ensure", fields, options)
  }

  coverage(fields, options) {
    return this.#request("coverage", fields, options)
  }

  diff(fields, options) {
    return this.#request("diff", fields, options)
  }

  explain(fields, options) {
    return this.#request("explain", fields, options)
  }

  health(options) {
    return this.#request("health", {}, options)
  }

  /** Each read's rows, or `{ error }`; with `credit` each in messages of its own. */
  async readMany(fields, options = {}) {
    if (options.credit !== undefined) return readManyInParts(this.#exchange, fields, this.#options(options))
    const { results } = await this.#request("readMany", fields, options)
    return results.map((result) => {
      if (result.error === undefined) return result
      return { error: new SeamlessError(result.error.tag, result.code ?? codeOf(result.error.tag), result) }
    })
  }

  /** Yields the parts of a read; the next one is granted when it is asked for. `timeoutMs` is that of each part. */
  readParts(fields, options = {}) {
    return readParts(this.#exchange, fields, this.#options(options))
  }

  readInParts(fields, options = {}) {
    return collectParts(this.readParts(fields, options))
  }

  /** What the fingerprint has to be by the client's own computation. */
  async fingerprint(series, range, rows, windowBars) {
    const bars = windowBars ?? (await this.coverage({ nodeId: series.nodeId, interval: series.interval })).windowBars
    const interval = parseInterval(series.interval).canonical
    const { coverageRanges } = rows.meta
    return fingerprint({ nodeId: series.nodeId, interval, range, coverageRanges, windowBars: bars }, rows)
  }

  /** Yields each change of a series, or of all, once and in order, until the signal. */
  watch(series, signal) {
    return new Watch(this.#exchange, this.#connection, watchKey(series), signal).changes()
  }

  /** What all members answer to `$SRV.PING`, `INFO` or `STATS` for a while. */
  async discover(verb = "PING", { waitMs = 500, id = "" } = {}) {
    const request = { subject: subjects.discovery(verb, id), headers: {}, body: Buffer.alloc(0) }
    const replies = await this.#exchange.send(request)
    const deadline = performance.now() + waitMs
    const found = []
    try {
      for (;;) {
        const message = await replies.next(deadline - performance.now())
        found.push(JSON.parse(Buffer.from(message.data).toString("utf8")))
      }
    } catch (error) {
      if (error instanceof NoReply) return found
      throw error
    } finally {
      replies.close()
    }
  }

  #options(options) {
    return { ...options, caller: options.caller ?? this.#caller, budgetMs: options.timeoutMs ?? this.#timeoutMs }
  }

  async #request(operation, fields, options = {}) {
    const deadline = performance.now() + (options.timeoutMs ?? this.#timeoutMs)
    for (let attempt = 0; ; attempt++) {
      const left = Math.floor(deadline - performance.now())
      try {
        return await this.#requestOnce(operation, fields, { ...options, budgetMs: Math.max(left, 1) })
      } catch (error) {
        const wait = pauseBeforeRetry(error, attempt)
        if (wait === null || performance.now() + wait >= deadline) throw error
        await pause(wait, options.signal)
      }
    }
  }

  async #requestOnce(operation, fields, options) {
    const call = randomUUID()
    const request = buildRequest(operation, fields, { ...options, caller: options.caller ?? this.#caller, call })
    const ownEndMs = fields.sla?.totalDeadlineMs ?? endsAfterMs[operation] ?? Infinity
    const replies = await this.#exchange.send(request, { timeoutMs: options.budgetMs, signal: options.signal })
    try {
      const message = await replies.next(Math.min(options.budgetMs, ownEndMs) + graceMs, options.signal)
      const { body, error } = readReply(message.headers, message.data)
      if (error !== null) throw error
      return body
    } catch (error) {
      if (error instanceof Cancelled) this.#exchange.publish(subjects.cancel(call))
      throw error
    } finally {
      replies.close()
    }
  }
}
