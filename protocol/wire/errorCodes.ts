/** Which code does an error reply carry? */

/** Codes by error tag, in HTTP's numbers; a tag that is not here is 500. */
export const errorCodes: Readonly<Record<string, number>> = {
  InvalidRequest: 400,
  UnalignedRange: 400,
  RangeTooLarge: 400,
  RangeNotFinal: 400,
  MalformedMessage: 400,
  InvalidAdminRequest: 400,
  TooManyWindows: 400,
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

/** The code of an error, by its tag. */
export const errorCode = (tag: string): number => errorCodes[tag] ?? 500
