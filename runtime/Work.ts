/** What is a message while a host has it, and how does it end? */
import type { Ending, Envelope, Undelivered } from "../protocol/wire/Envelope.ts"
import type { Answer, Incoming } from "./Actor.ts"

/** What a sender hears of its message. */
export type Reply =
  | Answer
  | { readonly undelivered: Undelivered }
  /** Of a message that is told: which host has it in a mailbox. */
  | { readonly accepted: string }

/** Answers a sender; never throws. */
export type Respond = (reply: Reply) => void

/** A message on a host. */
export interface Work {
  readonly envelope: Envelope
  readonly incoming: Incoming
  /** On the monotonic clock. */
  readonly arrivedMs: number
  /** Whoever waits for the answer: one, and one more for each time that the message came again. */
  readonly responders: Array<Respond>
  /** Senders that told it, and hear how it ended. */
  readonly tellers: Set<string>
}

/** The tag of a refusal, as an ending. */
export const endingOf = ({ _tag }: Undelivered): Ending => {
  if (_tag === "DeadlineExceeded") return "expired"
  return _tag === "MessageDeadLettered" ? "deadLettered" : "rejected"
}

/** The message to be sent on, with what is left of its time. One that nobody has begun with is as new as it came. */
export const toForward = ({ arrivedMs, envelope, incoming }: Work, nowMs: number, isBegun: boolean): Envelope => ({
  ...envelope,
  ...(isBegun || incoming.ageMs > 0 ? { ageMs: incoming.ageMs + Math.max(1, nowMs - arrivedMs) } : {}),
  budgetMs: Math.max(0, incoming.deadlineMs - nowMs)
})
