/**
 * How long is an account left alone that has refused a request?
 *
 * Pure. As long as the refusal says; where it does not, for a time that grows with each refusal in a row.
 */
import { defaults } from "../../protocol/Settings.ts"

/** How long it is left alone that says nothing: the first time, and at most. */
const silentMsBase = 2000
const silentMsMax = 300_000

/** What is known of an account's refusals. Times are those of one monotonic clock. */
export interface CoolDown {
  /** Nothing is sent before. */
  readonly untilMs: number
  /** When the last refusal came. */
  readonly refusedAtMs: number
  /** Refusals in a row, of which those count once that answer requests that were under way together. */
  readonly times: number
}

/** It has not refused anything. */
export const none: CoolDown = { untilMs: -Infinity, refusedAtMs: -Infinity, times: 0 }

/** A refusal. */
export interface Refusal {
  /** When the request was permitted. */
  readonly sentAtMs: number
  readonly nowMs: number
  /** How long the account asks to be left alone; null where it does not say. */
  readonly retryAfterMs: number | null
}

/** After a refusal. */
export const refused = (coolDown: CoolDown, { nowMs, retryAfterMs, sentAtMs }: Refusal): CoolDown => {
  // who was sent on the way before the last refusal came could not know of it
  const isSame = coolDown.times > 0 && sentAtMs <= coolDown.refusedAtMs
  const times = isSame ? coolDown.times : coolDown.times + 1
  const silentMs = Math.min(silentMsMax, silentMsBase * 2 ** (times - 1))
  const waitMs = Math.min(defaults.retryAfterMsMax, retryAfterMs ?? silentMs)
  return { untilMs: Math.max(coolDown.untilMs, nowMs + waitMs), refusedAtMs: nowMs, times }
}

/** After an answer that is no refusal; one to a request from before the last refusal proves nothing. */
export const answered = (coolDown: CoolDown, sentAtMs: number): CoolDown =>
  coolDown.times > 0 && sentAtMs > coolDown.refusedAtMs ? { ...coolDown, times: 0 } : coolDown
