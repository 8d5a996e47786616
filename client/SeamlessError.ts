/** What does a caller learn when there is no answer? */
import { askAgain } from "../protocol/wire/askAgain.ts"
import type { ErrorFields, ErrorTag } from "./ErrorFields.ts"
import type { AvailabilityResult, RefusedMeta } from "./HistoryResult.ts"

/** All that is told about a refusal. */
export interface Refusal {
  readonly tag: ErrorTag | (string & {})
  readonly message: string
  readonly code: number
  readonly fields?: Readonly<Record<string, unknown>> | undefined
  readonly meta?: RefusedMeta | undefined
  readonly result?: AvailabilityResult | undefined
  /** Why, where somebody else decided it: the reason of the signal that called it off. */
  readonly cause?: unknown
  /** Where tag and code don't say it. */
  readonly isRetryable?: boolean
}

/**
 * Every promise of the client rejects with this and nothing else. `tag` is what to switch on: the protocol's error
 * tags, and of the client's own `NoHostAnswers` (nobody serves at that address), `DeadlineExceeded`, `MeshUnavailable`
 * (no connection), `MalformedMessage` and `Cancelled` (by the signal of the call, whose reason is `cause`).
 *
 * @example
 * if (error instanceof SeamlessError && error.is("UnalignedRange")) return [error.fields.alignedStart]
 */
export class SeamlessError extends Error {
  override readonly name = "SeamlessError"
  readonly tag: ErrorTag | (string & {})
  /**
   * In HTTP's numbers: below 500 it is about the request, from 500 on about whoever was to answer it. Whether another
   * try is worth it is `isRetryable`: 429 is, and a deadline that the request itself has set (504) is not.
   */
  readonly code: number
  /**
   * Whether the same question may be put again by itself, after a pause: something that passes was in its way. Reads
   * and filling do no harm twice.
   */
  readonly isRetryable: boolean
  /** What else the error has, by its tag; such as `alignedStart` of an `UnalignedRange`. */
  readonly fields: Readonly<Record<string, unknown>>
  /** The account of the read that was refused, where there is one; without what only rows tell, if none were read. */
  readonly meta: RefusedMeta | undefined
  /** What there is of a range that was to be filled, where that was refused. */
  readonly result: AvailabilityResult | undefined

  constructor({ cause, code, fields = {}, isRetryable, message, meta, result, tag }: Refusal) {
    super(message, cause === undefined ? {} : { cause })
    this.tag = tag
    this.code = code
    this.isRetryable = isRetryable ?? askAgain(tag, code) !== "no"
    this.fields = fields
    this.meta = meta
    this.result = result
  }

  /** Whether it has this tag; its fields are those of the tag then. */
  is<Tag extends ErrorTag>(tag: Tag): this is this & { readonly tag: Tag; readonly fields: ErrorFields[Tag] } {
    return this.tag === tag
  }
}
