/**
 * Did this message take effect before?
 *
 * The last operations of an actor with what was answered, so that a message that is sent again is answered again and
 * not done again. It holds so many, for so long. A message that was first sent before the ledger begins can't be
 * judged, and is refused rather than done twice.
 */
import type { Operation } from "../protocol/wire/StateRecord.ts"

/** How much a ledger remembers. */
export interface LedgerLimits {
  readonly operationsMax: number
  readonly keepMs: number
  /** Of all answers together, in their wire form. */
  readonly answerBytesMax: number
}

/** What is saved of a ledger. */
export interface LedgerRecord {
  readonly operations: ReadonlyArray<Operation>
  /** When the newest operation took effect that was dropped; undefined where none was. */
  readonly forgottenAt: number | undefined
}

/** What a ledger knows of a message. */
export type Finding =
  | { readonly found: "nothing" }
  | { readonly found: "answer"; readonly answer: unknown }
  /** It may have taken effect, and been forgotten. */
  | { readonly found: "unknowable" }

/** The ledger of one actor. */
export interface Ledger {
  /** `ageMs` is how long ago the message was first sent. */
  readonly find: (id: string, sent: { readonly nowMs: number; readonly ageMs: number }) => Finding
  readonly add: (operation: Operation) => void
  readonly record: () => LedgerRecord
}

/** An empty ledger's record. */
export const emptyRecord: LedgerRecord = { operations: [], forgottenAt: undefined }

// clocks of two hosts may differ by so much without a message being done twice
const skewMs = 500

const nothing: Finding = { found: "nothing" }

/** A ledger that goes on from a record. */
export const make = ({ forgottenAt, operations }: LedgerRecord, limits: LedgerLimits): Ledger => {
  const { answerBytesMax, keepMs, operationsMax } = limits
  const known = new Map(operations.map((operation) => [operation.id, operation]))
  // what is never saved need not be weighed
  const weigh = ({ answer }: Operation): number => (answerBytesMax === Infinity ? 0 : JSON.stringify(answer).length)
  let bytes = operations.reduce((sum, operation) => sum + weigh(operation), 0)
  let forgottenAtMs = forgottenAt
  // none of those that are known is older
  let oldestAtMs = operations[0]?.at ?? Infinity

  const isWithin = (nowMs: number, at: number): boolean =>
    known.size <= operationsMax && bytes <= answerBytesMax && nowMs - at <= keepMs

  const forget = (nowMs: number): void => {
    if (isWithin(nowMs, oldestAtMs)) return
    for (const operation of known.values()) {
      oldestAtMs = operation.at
      if (isWithin(nowMs, operation.at)) return
      known.delete(operation.id)
      bytes -= weigh(operation)
      forgottenAtMs = Math.max(forgottenAtMs ?? operation.at, operation.at)
    }
  }
  return {
    find: (id, { ageMs, nowMs }) => {
      const operation = known.get(id)
      if (operation !== undefined) return { found: "answer", answer: operation.answer }
      const isJudged = ageMs === 0 || forgottenAtMs === undefined || nowMs - ageMs - skewMs > forgottenAtMs
      return isJudged ? nothing : { found: "unknowable" }
    },
    add: (operation) => {
      known.set(operation.id, operation)
      bytes += weigh(operation)
      oldestAtMs = Math.min(oldestAtMs, operation.at)
      forget(operation.at)
    },
    record: () => ({ operations: Array.from(known.values()), forgottenAt: forgottenAtMs })
  }
}
