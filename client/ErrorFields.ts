/** Which fields does an error have, by its tag? */
import type { MissingRange } from "../protocol/history/MissingRange.ts"
import type { HostLimit } from "../protocol/wire/Limits.ts"

/** Which root of a series; its time is epoch milliseconds. */
interface Point {
  readonly version: number
  readonly committedAt: number
}

interface Bytes {
  readonly bytes: number
  readonly bytesMax: number
}

interface Addressed {
  readonly address: string
  readonly reason: string
}

interface OfSource {
  readonly source: string
  readonly reason: string
  /** Epoch milliseconds; null where nobody knows. */
  readonly retryAt: number | null
}

/** What there is too much of. */
interface OverLimit {
  readonly retryAfterMs: number
  /** Of what there is too much on the host, and how much there may be; absent where a mailbox is full. */
  readonly limit?: HostLimit
  readonly limitMax?: number
}

/** Where the client was connected to, where it is the client who tells. */
interface Servers {
  readonly servers?: string
}

/**
 * The fields of each error that a question of a client may end with. A newer host may have others, and tags that are
 * not here. Times are epoch milliseconds, lengths of time milliseconds.
 */
export interface ErrorFields {
  readonly InvalidRequest: { readonly field: string; readonly problem: string }
  readonly UnalignedRange: {
    readonly start: number
    readonly end: number
    readonly interval: string
    readonly alignedStart: number
    readonly alignedEnd: number
  }
  readonly RangeTooLarge: { readonly bars: number; readonly barsMax: number; readonly inParts?: boolean }
  readonly MalformedMessage: { readonly what?: string; readonly problem?: string }
  readonly TooManyReads: { readonly reads: number; readonly readsMax: number }
  readonly UnknownSeries: { readonly nodeId: string; readonly interval: string; readonly known: ReadonlyArray<string> }
  readonly UnknownPoint: {
    readonly nodeId: string
    readonly interval: string
    /** The point that was asked for. */
    readonly asOf: { readonly version?: number; readonly time?: number }
    readonly problem: "future" | "never" | "notKept"
    readonly oldest: Point
    readonly newest: Point
  }
  readonly CoverageMissing: {
    /** Absent where a read of many bars was refused before its rows were read. */
    readonly expectedBars?: number
    readonly missingBars: number
    readonly missingRanges: ReadonlyArray<MissingRange>
  }
  readonly StrictViolation: {
    /** Both are absent where a read of many bars was refused before its rows were read. */
    readonly expectedBars?: number
    readonly gotBars?: number
    readonly missingRanges: ReadonlyArray<MissingRange>
  }
  readonly OutcomeUnknown: { readonly address: string; readonly id: string }
  readonly RequestTooLarge: Bytes
  readonly ResultTooLarge: Bytes & { readonly ofAccount?: boolean }
  readonly WindowQuarantined: { readonly windowStart: number; readonly reason: string }
  readonly MailboxFull: OverLimit & { readonly address: string }
  readonly TooManyRequests: OverLimit & { readonly caller: string; readonly requestsMax: number }
  readonly StoreDamaged: { readonly key: string; readonly problem: string }
  readonly MessageDeadLettered: Addressed & { readonly id: string }
  readonly RowsRejected: { readonly source: string; readonly reason: string }
  readonly ActorStopped: Addressed & { readonly retryAfterMs: number }
  /** `untouched` where nothing of it was begun; else nobody knows what became of it. */
  readonly ActorUnavailable: Addressed & { readonly untouched?: boolean }
  readonly MeshUnavailable: Servers & { readonly operation?: string; readonly reason?: string }
  readonly BudgetUnavailable: OfSource
  readonly BackfillOff: {
    readonly switch: string
    readonly on: boolean
    readonly by: string
    readonly at: number
    readonly reason: string
  }
  readonly SourceUnavailable: OfSource
  readonly DeadlineExceeded: Servers & { readonly budgetMs: number; readonly waitingFor?: string }
  readonly SlaViolated: { readonly phase: string; readonly budgetMs: number; readonly waitedMs: number }
  /** Nobody serves at that address. */
  readonly NoHostAnswers: Required<Servers>
  /** By the signal of the call, or since the loop over an answer was left. */
  readonly Cancelled: object
}

/** The tags of the errors that a question of a client may end with. */
export type ErrorTag = keyof ErrorFields
