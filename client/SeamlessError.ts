/** What does a caller learn when there is no answer? */
import type { AvailabilityResult, HistoryMeta } from "./HistoryResult.ts"

/** All that is told about a refusal. */
export interface Refusal {
  readonly tag: string
  readonly message: string
  readonly code: number
  readonly fields?: Readonly<Record<string, unknown>> | undefined
  readonly meta?: HistoryMeta | undefined
  readonly result?: AvailabilityResult | undefined
  /** Why, where somebody else decided it: the reason of the signal that called it off. */
  readonly cause?: unknown
}

/**
 * Every promise of the client rejects with this and nothing else. `tag` is what to switch on: the protocol's error
 * tags, and of the client's own `NoHostAnswers` (nobody serves at that address), `DeadlineExceeded`, `MeshUnavailable`
 * (no connection), `MalformedMessage` and `Cancelled` (by the signal of the call, whose reason is `cause`).
 */
export class SeamlessError extends Error {
  override readonly name = "SeamlessError"
  readonly tag: string
  /** In HTTP's numbers: below 500 the request must change, from 500 on the same one may succeed later. */
  readonly code: number
  /** What else the error has, by its tag; such as `alignedStart` of an `UnalignedRange`. */
  readonly fields: Readonly<Record<string, unknown>>
  /** The account of the read that was refused, where there is one. */
  readonly meta: HistoryMeta | undefined
  /** What there is of a range that was to be filled, where that was refused. */
  readonly result: AvailabilityResult | undefined

  constructor({ cause, code, fields = {}, message, meta, result, tag }: Refusal) {
    super(message, cause === undefined ? {} : { cause })
    this.tag = tag
    this.code = code
    this.fields = fields
    this.meta = meta
    this.result = result
  }
}
