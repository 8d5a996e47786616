/**
 * How does an exchange's answer get here whole, and which answers are refusals?
 *
 * The `fetch` that is handed to ccxt. It knows the status and the headers of its own answer, so what a refusal says
 * never mixes with other requests under way; and it reads the body itself, so a connection that breaks within an answer
 * counts as a failure of the network, and an abort reaches the answer's last byte.
 */
import { Effect } from "effect"
import { AsyncLocalStorage } from "node:async_hooks"
import { RequestFailed } from "./DataSource.ts"

/** The parts of an answer that ccxt reads. */
export interface WholeAnswer {
  readonly status: number
  readonly statusText: string
  readonly headers: Headers
  readonly text: () => Promise<string>
}

// A reason is read by people and kept in job records.
const reasonLengthMax = 200

/** One short line without queries and credentials of addresses, which may hold secrets. */
export const shortReason = (text: string, lengthMax: number = reasonLengthMax): string => {
  const line = text
    .replaceAll(/(https?:\/\/)[^\s/@]*@/g, "$1")
    .replaceAll(/(https?:\/\/[^\s?]*)\?\S*/g, "$1")
    .replaceAll(/[\s\p{Cc}]+/gu, " ")
    .trim()
  return line.length > lengthMax ? `${line.slice(0, lengthMax - 1)}…` : line
}

/**
 * How long an answer asks to be left alone, in milliseconds; null where it does not say. A date is compared with the
 * answer's own date, so neither side's clock has to be right.
 */
export const retryAfterMs = (headers: Headers): number | null => {
  const text = headers.get("retry-after")?.trim() ?? ""
  if (/^\d+(\.\d+)?$/.test(text)) return Math.ceil(Number(text) * 1000)
  const waitMs = Date.parse(text) - Date.parse(headers.get("date") ?? "")
  return Number.isNaN(waitMs) ? null : Math.max(0, waitMs)
}

/** Sends one request of a call, and gives its answer. */
export type Send = (url: string, init: RequestInit) => Promise<WholeAnswer>

// What a call is made for reaches its requests through whatever ccxt does in between.
const callSend = new AsyncLocalStorage<Send>()

/** Runs a call whose requests are sent that way. */
export const withSend = <A>(send: Send, call: () => Promise<A>): Promise<A> => callSend.run(send, call)

/** The `fetch` that is handed to ccxt: sends as the call does that it is made for. */
export const sendOfCall: Send = (url, init) => (callSend.getStore() ?? fetchNow)(url, init)

// 418 is what Binance answers to those who did not heed its 429.
const isRefusal = (status: number): boolean => status === 429 || status === 418

// A page of a proxy or of a maintenance notice would be read as an answer without bars.
const isJson = (body: string): boolean => /^\s*[[{]/.test(body) && /[\]}]\s*$/.test(body)

const failureOf = ({ headers, ok, status }: Response, body: string): RequestFailed | undefined => {
  if (isRefusal(status) || status >= 500) {
    const reason = shortReason(`the exchange answered ${status}: ${body}`)
    return new RequestFailed({
      reason,
      retryable: true,
      retryAfterMs: retryAfterMs(headers),
      ...(isRefusal(status) && { isRefusal: true })
    })
  }
  if (!ok || isJson(body)) return undefined
  const reason = shortReason(`the exchange answered ${status} with something else than JSON: ${body}`)
  return new RequestFailed({ reason, retryable: true, retryAfterMs: null })
}

const fetchNow: Send = async (url, init) => {
  const response = await fetch(url, { ...init, redirect: "error" })
  const body = await response.text()
  const failure = failureOf(response, body)
  const { headers, status, statusText } = response
  return failure === undefined
    ? { status, statusText, headers, text: () => Promise.resolve(body) }
    : Promise.reject(failure)
}

const causeText = (cause: unknown): string => {
  if (!(cause instanceof Error)) return String(cause)
  // what fetch says of a broken connection is in the cause of what it throws
  return cause.cause instanceof Error ? `${cause.message}: ${cause.cause.message}` : cause.message
}

/** Fetches the whole of an answer; fails where it is a refusal, no exchange's answer at all, or does not come. */
export const fetchWhole = (url: string, init: RequestInit): Effect.Effect<WholeAnswer, RequestFailed> =>
  Effect.tryPromise({
    try: (signal) => fetchNow(url, { ...init, signal }),
    catch: (cause) =>
      cause instanceof RequestFailed
        ? cause
        : new RequestFailed({ reason: shortReason(`${url}: ${causeText(cause)}`), retryable: true, retryAfterMs: null })
  })
