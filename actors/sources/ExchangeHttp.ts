/**
 * How does an exchange's answer get here whole, and which answers are refusals?
 *
 * The `fetch` that is handed to ccxt. It knows the status and the headers of its own answer, so what a refusal says
 * never mixes with other requests under way; and it reads the body itself, so a connection that breaks within an answer
 * counts as a failure of the network, and an abort reaches the answer's last byte.
 */
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
export const shortReason = (text: string): string => {
  const line = text
    .replaceAll(/(https?:\/\/)[^\s/@]*@/g, "$1")
    .replaceAll(/(https?:\/\/[^\s?]*)\?\S*/g, "$1")
    .replaceAll(/[\s\p{Cc}]+/gu, " ")
    .trim()
  return line.length > reasonLengthMax ? `${line.slice(0, reasonLengthMax - 1)}…` : line
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

// Aborts reach a request through whatever ccxt does between the call and its fetch.
const callSignal = new AsyncLocalStorage<AbortSignal>()

/** Runs a call whose requests end when the signal aborts. */
export const withSignal = <A>(signal: AbortSignal, call: () => Promise<A>): Promise<A> => callSignal.run(signal, call)

// 418 is what Binance answers to those who did not heed its 429.
const isRefusal = (status: number): boolean => status === 429 || status === 418 || status >= 500

// A page of a proxy or of a maintenance notice would be read as an answer without bars.
const isJson = (body: string): boolean => /^\s*[[{]/.test(body) && /[\]}]\s*$/.test(body)

const refusalOf = ({ headers, ok, status }: Response, body: string): RequestFailed | undefined => {
  if (isRefusal(status)) {
    const reason = shortReason(`the exchange answered ${status}: ${body}`)
    return new RequestFailed({ reason, retryable: true, retryAfterMs: retryAfterMs(headers) })
  }
  if (!ok || isJson(body)) return undefined
  const reason = shortReason(`the exchange answered ${status} with something else than JSON: ${body}`)
  return new RequestFailed({ reason, retryable: true, retryAfterMs: null })
}

/** Fetches the whole of an answer. Rejects with `RequestFailed` if it is a refusal, or no exchange's answer at all. */
export const fetchWhole = async (url: string, init: RequestInit): Promise<WholeAnswer> => {
  const signals = [init.signal, callSignal.getStore()].filter((signal) => signal instanceof AbortSignal)
  const response = await fetch(url, { ...init, redirect: "error", signal: AbortSignal.any(signals) })
  const body = await response.text()
  const refusal = refusalOf(response, body)
  const { headers, status, statusText } = response
  return refusal === undefined
    ? { status, statusText, headers, text: () => Promise.resolve(body) }
    : Promise.reject(refusal)
}
