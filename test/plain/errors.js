// What went wrong, and is it worth asking again? Typed errors for what members refuse and for what happens on the way,
// the codes by tag, and the rules by which a request is sent again (part 3, "Time, limits, and trying again").

export const codes = {
  InvalidRequest: 400,
  UnalignedRange: 400,
  RangeTooLarge: 400,
  RangeNotFinal: 400,
  MalformedMessage: 400,
  InvalidAdminRequest: 400,
  TooManyWindows: 400,
  TooManyReads: 400,
  UnknownSeries: 404,
  CoverageMissing: 404,
  UnknownHost: 404,
  UnknownActor: 404,
  UnknownLetter: 404,
  UnknownJob: 404,
  UnknownBackfill: 404,
  UnknownPoint: 404,
  AmbiguousHost: 409,
  AmbiguousLetter: 409,
  JobNotSuited: 409,
  NoSuitedJob: 409,
  BackfillEnded: 409,
  BackfillExists: 409,
  SweepUnderWay: 409,
  StrictViolation: 409,
  OutcomeUnknown: 409,
  RequestTooLarge: 413,
  ResultTooLarge: 413,
  AnswerTooLarge: 413,
  WindowQuarantined: 423,
  MailboxFull: 429,
  TooManyRequests: 429,
  StoreDamaged: 500,
  MessageDeadLettered: 500,
  RowsRejected: 502,
  ActorStopped: 503,
  ActorUnavailable: 503,
  BackfillOff: 503,
  BudgetUnavailable: 503,
  HostUnreachable: 503,
  MeshUnavailable: 503,
  SourceUnavailable: 503,
  DeadlineExceeded: 504,
  SlaViolated: 504
}

export const codeOf = (tag) => (Object.hasOwn(codes, tag) ? codes[tag] : 500)

/** What a member answered instead of a result. `details` are the error's own fields. */
export class SeamlessError extends Error {
  constructor(tag, code, body) {
    const { tag: _tag, message, ...details } = body?.error ?? {}
    super(message ?? tag)
    this.name = "SeamlessError"
    this.tag = tag
    this.code = code
    this.details = details
    this.meta = body?.meta
    this.result = body?.result
  }
}

/** What happened on the way: no member said anything about the request. */
export class TransportError extends Error {
  constructor(message) {
    super(message)
    this.name = new.target.name
    this.tag = new.target.name
  }
}

export class NoResponders extends TransportError {}
export class NoReply extends TransportError {}
export class ConnectionLost extends TransportError {}
export class PartLost extends TransportError {}
export class UnreadableReply extends TransportError {}
export class Cancelled extends TransportError {}

const neverAgain = ["RowsRejected", "BackfillOff", "HostUnreachable", "DeadlineExceeded", "SlaViolated"]
const afterTime = ["TooManyRequests", "MailboxFull", "ActorStopped"]

/** How long to wait before the same request is sent again, or null where that is no use. */
export function pauseBeforeRetry(error, attempt, now = Date.now()) {
  const growing = Math.min(100 * 2 ** attempt, 5_000)
  if (error instanceof NoResponders || error instanceof ConnectionLost) return growing
  if (error instanceof NoReply) return 0
  if (!(error instanceof SeamlessError)) return null
  if (afterTime.includes(error.tag) || error.code === 429) return error.details.retryAfterMs ?? growing
  if (neverAgain.includes(error.tag)) return null
  if (error.code >= 502 && error.code <= 504) return Math.max(growing, (error.details.retryAt ?? 0) - now)
  if (error.code === 500) return attempt === 0 ? growing : null
  return null
}
