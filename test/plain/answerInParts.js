// How is an answer taken that has more rows than one message carries? Grants credits as parts are worked through, sees
// which part was lost, goes on by the last cursor, and takes the messages of several reads apart by their items.

import { randomUUID } from "node:crypto"
import { buildRequest, readReply } from "./exchange.js"
import { Cancelled, ConnectionLost, NoReply, NoResponders, PartLost, pauseBeforeRetry } from "./errors.js"
import { headerNames, subjects } from "./names.js"
import { joinParts, rowCount, storedRows } from "./rows.js"
import { pause } from "./pause.js"

const resumptionsMax = 5
const graceMs = 1_000
const readsAtOnce = 8

const breaks = [PartLost, NoReply, ConnectionLost, NoResponders]
const isBroken = (error) => breaks.some((kind) => error instanceof kind)

/** Yields the parts of a read in order, each as `{ rows, cursor, isLast }`, whatever is lost between them. */
export async function* readParts(exchange, fields, options) {
  let cursor = options.cursor
  for (let broken = 0; ;) {
    try {
      for await (const part of partsOfOneRequest(exchange, fields, { ...options, cursor })) {
        cursor = part.cursor
        broken = 0
        yield part
        if (part.isLast) return
      }
    } catch (error) {
      const wait = pauseBeforeRetry(error, broken)
      error.cursor = cursor
      if ((wait === null && !isBroken(error)) || broken >= resumptionsMax) throw error
      broken += 1
      await pause(wait ?? 0, options.signal)
    }
  }
}

async function* partsOfOneRequest(exchange, fields, options) {
  const call = randomUUID()
  const credit = options.credit ?? 4
  const request = buildRequest("read", fields, { ...options, credit, call })
  const replies = await exchange.send(request, { timeoutMs: options.budgetMs, signal: options.signal })
  let isEnded = false
  try {
    for (let expected = 0; ; expected++) {
      const message = await replies.next(options.budgetMs + graceMs, options.signal)
      const { headers, body, error } = readReply(message.headers, message.data)
      isEnded = error !== null || headers[headerNames.part] === undefined || headers[headerNames.last] === "true"
      if (error !== null) throw error
      if (headers[headerNames.part] === undefined) {
        yield { rows: body, cursor: undefined, isLast: true, isWhole: true }
        return
      }
      if (Number(headers[headerNames.part]) !== expected) {
        isEnded = false
        throw new PartLost(`part ${expected} was lost`)
      }
      yield { rows: body, cursor: headers[headerNames.cursor], isLast: isEnded, isWhole: false }
      if (isEnded) return
      exchange.publish(headers[headerNames.flow], "1")
    }
  } finally {
    if (!isEnded) exchange.publish(subjects.cancel(call))
    replies.close()
  }
}

/** The whole of an answer in parts, whose count of rows is what its metadata says. */
export async function collectParts(parts) {
  const collected = []
  for await (const part of parts) collected.push(part.rows)
  const rows = joinParts(collected)
  const told = rows.meta?.qualitySummary?.rows
  const count = rowCount(storedRows(rows))
  if (told !== undefined && told !== count) throw new PartLost(`${count} rows came of ${told}`)
  return { ...rows, parts: collected.length }
}

/** Each read's own rows or error, in the order of the requests; what was broken off is read on alone. */
export async function readManyInParts(exchange, fields, options) {
  const items = fields.requests.map(() => ({ parts: [], cursor: undefined, outcome: null, isBroken: false }))
  try {
    await takeItems(exchange, fields, options, items)
  } catch (error) {
    if (!isBroken(error)) throw error
  }
  await readOn(exchange, fields, options, items)
  return items.map(({ outcome, parts }) => (outcome instanceof Error ? { error: outcome } : joinParts(parts)))
}

/** Reads that were broken off go on alone, as many at once as a member works on of several reads. */
async function readOn(exchange, { requests, ...common }, options, items) {
  const left = items
    .map((item, index) => ({ item, fields: { ...common, ...requests[index] } }))
    .filter(({ item }) => item.outcome === null)
  const work = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const { item } = next
      try {
        const parts = readParts(exchange, next.fields, { ...options, cursor: item.cursor })
        for await (const part of parts) item.parts.push(part.rows)
        item.outcome = "whole"
      } catch (error) {
        if (error instanceof Cancelled) throw error
        item.outcome = error
      }
    }
  }
  await Promise.all(Array.from({ length: readsAtOnce }, work))
}

async function takeItems(exchange, fields, options, items) {
  const call = randomUUID()
  const request = buildRequest("readMany", fields, { ...options, credit: options.credit ?? 8, call })
  const replies = await exchange.send(request, { timeoutMs: options.budgetMs, signal: options.signal })
  let isEnded = false
  try {
    while (!isEnded) {
      const message = await replies.next(options.budgetMs + graceMs, options.signal)
      const reply = readReply(message.headers, message.data)
      isEnded = reply.headers[headerNames.end] === "true"
      if (reply.headers[headerNames.item] === undefined) {
        isEnded = true
        throw reply.error ?? new PartLost("a message names no read")
      }
      takeItem(items[Number(reply.headers[headerNames.item])], reply)
      if (!isEnded) exchange.publish(reply.headers[headerNames.flow], "1")
    }
  } catch (error) {
    if (error instanceof Cancelled) exchange.publish(subjects.cancel(call))
    throw error
  } finally {
    replies.close()
  }
}

function takeItem(item, { headers, body, error }) {
  if (error !== null) {
    item.outcome = error
    return
  }
  const part = headers[headerNames.part]
  if (item.isBroken || (part !== undefined && Number(part) !== item.parts.length)) {
    item.isBroken = true
    return
  }
  item.parts.push(body)
  item.cursor = headers[headerNames.cursor]
  if (part === undefined || headers[headerNames.last] === "true") item.outcome = "whole"
}
