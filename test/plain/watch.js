// What changed in a series, each change once and in order? Listens to announcements, reads the newest roots by batches
// of direct gets, and what lies between from the audit stream (part 6, "Each change once, in order").

import { Cancelled, TransportError } from "./errors.js"
import { seriesKey, subjects } from "./names.js"

const lookEveryMs = 5_000
const replyMs = 5_000
const replicaMs = 2_000
const prefix = "$KV.seamless-coverage."

/** Messages of a batch direct get, ascending: `{ subject, sequence, body }`, and whether more are left behind them. */
async function batchGet(exchange, stream, fields, signal) {
  const request = { subject: subjects.directGet(stream), headers: {}, body: Buffer.from(JSON.stringify(fields)) }
  const replies = await exchange.send(request, { timeoutMs: replyMs, signal })
  const entries = []
  try {
    for (;;) {
      const message = await replies.next(replyMs, signal)
      if (message.status === 404) return { entries, isMore: false }
      if (message.status === 204) return { entries, isMore: Number(message.headers["Nats-Num-Pending"] ?? 0) > 0 }
      if (message.status >= 400) throw new Error(`the direct get was refused with ${message.status}`)
      entries.push({
        subject: message.headers["Nats-Subject"],
        sequence: Number(message.headers["Nats-Sequence"]),
        isDeleted: message.headers["KV-Operation"] !== undefined,
        body: message.data
      })
    }
  } finally {
    replies.close()
  }
}

const newestBatch = (key, seq) => ({ seq, next_by_subj: `${prefix}${key}`, batch: 64, max_bytes: 4_194_304 })

const parse = (bytes) => JSON.parse(Buffer.from(bytes).toString("utf8"))

export class Watch {
  #exchange
  #connection
  #key
  #signal
  #lastSeen = 0
  #told = new Map()
  #auditAt = new Map()
  #awake = null
  #isDirty = true

  constructor(exchange, connection, key, signal) {
    this.#exchange = exchange
    this.#connection = connection
    this.#key = key
    this.#signal = signal
  }

  /** Yields `{ key, root, revision }`; the first of each series is the root that stands. */
  async *changes() {
    const subscription = this.#connection.subscribe(subjects.coverageChanged(this.#key), {
      callback: (error, message) => this.#hear(error, message)
    })
    const onAbort = () => this.#awake?.()
    this.#signal?.addEventListener("abort", onAbort)
    void this.#hearReconnections()
    try {
      while (!this.#signal?.aborted) {
        this.#isDirty = false
        yield* this.#lookUnlessLost()
        if (!this.#isDirty && !this.#signal?.aborted) await this.#sleep()
      }
    } finally {
      this.#signal?.removeEventListener("abort", onAbort)
      subscription.unsubscribe()
    }
  }

  #hear(error, message) {
    if (error) return
    const revision = Number(message.headers?.get("Nats-Sequence") ?? 0)
    // Storage was rolled back: revisions begin anew, so all are looked at once more.
    if (revision !== 0 && revision <= this.#lastSeen) this.#lastSeen = 0
    this.#wake()
  }

  async #hearReconnections() {
    for await (const status of this.#connection.status()) {
      if (this.#signal?.aborted) return
      if (status.type !== "reconnect") continue
      this.#lastSeen = 0
      this.#wake()
    }
  }

  #wake() {
    this.#isDirty = true
    this.#awake?.()
  }

  async #sleep() {
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, lookEveryMs)
      this.#awake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#awake = null
  }

  /** What can't be read now is read after the next announcement, the next reconnection, or five seconds. */
  async *#lookUnlessLost() {
    try {
      yield* this.#look()
    } catch (error) {
      if (!(error instanceof TransportError)) throw error
      if (!(error instanceof Cancelled)) this.#lastSeen = 0
    }
  }

  async *#look() {
    for (;;) {
      const fields = newestBatch(this.#key, this.#lastSeen + 1)
      const { entries, isMore } = await batchGet(this.#exchange, "KV_seamless-coverage", fields, this.#signal)
      for (const entry of entries) {
        this.#lastSeen = entry.sequence
        if (!entry.isDeleted) yield* this.#tell(entry)
      }
      if (!isMore || entries.length === 0) return
    }
  }

  async *#tell({ subject, sequence, body }) {
    const key = subject.slice(prefix.length)
    const record = parse(body)
    if (record.format !== 1 || record.state.format !== 1) throw new Error(`${key} has a form that is not known`)
    const root = record.state
    const told = this.#told.get(key)
    if (told !== undefined && root.version <= told) return
    if (told !== undefined && root.version > told + 1) yield* this.#tellBetween(key, told, root.version)
    this.#told.set(key, root.version)
    yield { key, root, revision: sequence }
  }

  async *#tellBetween(key, told, newest) {
    const deadline = performance.now() + replicaMs
    let last = told
    while (last < newest - 1) {
      const from = this.#auditAt.get(key) ?? 1
      const fields = { seq: from, next_by_subj: subjects.audit(key), batch: 64, max_bytes: 4_194_304 }
      const { entries } = await batchGet(this.#exchange, "seamless-audit", fields, this.#signal)
      for (const entry of entries) {
        this.#auditAt.set(key, entry.sequence + 1)
        const root = parse(entry.body)
        if (root.version <= last || root.version >= newest) continue
        last = root.version
        this.#told.set(key, last)
        yield { key, root, revision: null }
      }
      if (entries.length === 0 && performance.now() > deadline) return
      if (entries.length === 0) await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

export const watchKey = (series) => (series === undefined ? ">" : seriesKey(series))
