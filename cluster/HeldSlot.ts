/**
 * What is a slot to the host that holds it?
 *
 * A tenure: the right to handle messages, as long as the session is certain and the slot was confirmed since it last
 * was not. Losing touch closes the tenure and releases nothing: it goes on where nobody has taken the slot meanwhile.
 */
import { Deferred, Effect, Exit, Scope } from "effect"
import type { Message } from "../runtime/Mesh.ts"
import type { Tenure } from "../runtime/Tenure.ts"
import type { HostSession } from "./HostSession.ts"
import type { SlotRecord } from "./planClaims.ts"

/** A slot that is held. */
export interface HeldSlot {
  /** The record as it was written last. */
  readonly record: () => SlotRecord
  readonly tenure: Tenure
  readonly isConfirmed: () => boolean
  /** It was written again, in that stretch of the session. */
  readonly confirm: (record: SlotRecord, stretch: number) => void
  /** Ends the tenure, for good. */
  readonly end: () => void
  /** Ends the subscription; what has arrived by then is handed on before this returns. */
  readonly unsubscribe: Effect.Effect<void>
}

/** What makes a slot a held one. */
interface Hold {
  readonly session: HostSession["Service"]
  readonly record: SlotRecord
  /** The stretch of the session in which it was claimed. */
  readonly stretch: number
  readonly subscription: Scope.Closeable
  /** Is told of later slot epochs, as by `Tenure.onOutbid`. */
  readonly onOutbid: (slotEpoch: number) => void
}

/** The slot, from the ack of its claim. */
export const hold = ({ onOutbid, record, session, stretch, subscription }: Hold): HeldSlot => {
  let current = record
  let confirmedIn = stretch
  let isEnded = false
  let nextConfirm = Deferred.makeUnsafe<void>()
  const isConfirmed = () => confirmedIn === session.stretch()
  const isValid = () => !isEnded && isConfirmed() && session.isValidNow()
  const tenure: Tenure = {
    slot: record.slot,
    slotEpoch: record.slotEpoch,
    isValid,
    hasEnded: () => isEnded,
    onOutbid,
    untilValid: Effect.gen(function* () {
      while (!isValid()) yield* Deferred.await(nextConfirm)
    })
  }
  return {
    record: () => current,
    tenure,
    isConfirmed,
    confirm: (next, inStretch) => {
      current = next
      confirmedIn = inStretch
      const waited = nextConfirm
      nextConfirm = Deferred.makeUnsafe<void>()
      Deferred.doneUnsafe(waited, Effect.void)
    },
    end: () => {
      isEnded = true
    },
    unsubscribe: Scope.close(subscription, Exit.void)
  }
}

/** Messages that may wait while their slot is being claimed: the sender of one that is dropped sends it again. */
const waitingMax = 1024

/** Where the messages of a slot go while it is not certain yet whose it is. */
interface Porch {
  readonly onMessage: (message: Message) => void
  /** Hands on all that came, in its order and with how long it waited, and from now on all that comes. */
  readonly open: (onMessage: OnMessage) => void
}

type OnMessage = (message: Message, waitedMs: number) => void

/** A place for messages to wait in until the slot is claimed; `now` gives milliseconds of the monotonic clock. */
export const makePorch = (now: () => number): Porch => {
  const waiting: Array<{ readonly message: Message; readonly sinceMs: number }> = []
  let onward: OnMessage | undefined
  return {
    onMessage: (message) => {
      if (onward !== undefined) onward(message, 0)
      else if (waiting.length < waitingMax) waiting.push({ message, sinceMs: now() })
    },
    open: (onMessage) => {
      onward = onMessage
      for (const { message, sinceMs } of waiting.splice(0)) onMessage(message, now() - sinceMs)
    }
  }
}
