/**
 * What can go wrong with a request for history?
 *
 * Each error has a tag that clients of any language see, a code in HTTP's numbers (`errorCodes`), fields, and a message
 * that says what was wrong and what would be right.
 */
import { Schema } from "effect"
import { isoTime as iso } from "./isoTime.ts"
import { MissingRange } from "./MissingRange.ts"

/** Where the dates are the same, the second time alone. */
const span = (start: number, end: number): string => {
  const [from, to] = [iso(start), iso(end)]
  return `${from} to ${from.slice(0, 11) === to.slice(0, 11) ? to.slice(11) : to}`
}

/** A field of the request is absent, of the wrong form, or out of its bounds. */
export class InvalidRequest extends Schema.TaggedError<InvalidRequest>()("InvalidRequest", {
  field: Schema.String,
  problem: Schema.String
}) {
  override get message() {
    return `${this.field}: ${this.problem}`
  }
}

/** The configuration has no such series. */
export class UnknownSeries extends Schema.TaggedError<UnknownSeries>()("UnknownSeries", {
  nodeId: Schema.String,
  interval: Schema.String,
  /** What there is: the intervals of the node where it is known, else the known nodes. */
  known: Schema.Array(Schema.String)
}) {
  override get message() {
    const known = this.known.length === 0 ? "none is configured" : `known: ${this.known.join(", ")}`
    return `there is no series ${this.nodeId} ${this.interval}; ${known}`
  }
}

/** The range does not begin and end on bars. */
export class UnalignedRange extends Schema.TaggedError<UnalignedRange>()("UnalignedRange", {
  start: Schema.Finite,
  end: Schema.Finite,
  interval: Schema.String,
  alignedStart: Schema.Finite,
  alignedEnd: Schema.Finite
}) {
  override get message() {
    const [from, to] = [this.alignedStart, this.alignedEnd]
    return (
      `[${iso(this.start)}, ${iso(this.end)}) is not on the grid of ${this.interval}: ` +
      `ask for [${iso(from)}, ${iso(to)}) (${from} to ${to}), or with align: "expand"`
    )
  }
}

/** More bars than one request may have. */
export class RangeTooLarge extends Schema.TaggedError<RangeTooLarge>()("RangeTooLarge", {
  bars: Schema.Finite,
  barsMax: Schema.Finite,
  /** Whether taking parts would not help: they are taken, or there are none of what is asked. */
  inParts: Schema.optionalKey(Schema.Boolean)
}) {
  override get message() {
    const asked = `the range has ${this.bars} bars; at most ${this.barsMax} in one`
    return this.inParts === true
      ? `${asked} request: ask for shorter ranges`
      : `${asked} message: take the answer in parts, or ask for shorter ranges`
  }
}

/** The strategy does not fill gaps, and there are some. */
export class CoverageMissing extends Schema.TaggedError<CoverageMissing>()("CoverageMissing", {
  /** Absent where that takes the rows, and none were read. */
  expectedBars: Schema.optionalKey(Schema.Finite),
  missingBars: Schema.Finite,
  missingRanges: Schema.Array(MissingRange)
}) {
  override get message() {
    const first = this.missingRanges[0]
    const last = this.missingRanges.at(-1)
    const where = first === undefined || last === undefined ? "" : `: ${span(first.start, last.end)}`
    if (this.missingBars === 0) return `closed time is not covered yet, and no expected bar is missing${where}`
    const bars = this.missingBars === 1 ? "bar" : "bars"
    const are = this.missingBars === 1 ? "is" : "are"
    const all = this.expectedBars === undefined ? "" : ` of ${this.expectedBars}`
    return `${this.missingBars} ${bars}${all} ${are} missing${where}`
  }
}

/** A source was asked and did not give an answer. That says nothing about what it has. */
export class SourceUnavailable extends Schema.TaggedError<SourceUnavailable>()("SourceUnavailable", {
  source: Schema.String,
  reason: Schema.String,
  /** Epoch milliseconds from which asking again makes sense; null where nobody knows. */
  retryAt: Schema.NullOr(Schema.Finite)
}) {
  override get message() {
    return `source ${this.source} gave no answer: ${this.reason}`
  }
}

/** A source gave rows that can't be conformed. Nothing of them was stored. */
export class RowsRejected extends Schema.TaggedError<RowsRejected>()("RowsRejected", {
  source: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `rows of source ${this.source} can't be conformed: ${this.reason}`
  }
}

/** The window failed too often and waits for an operator. */
export class WindowQuarantined extends Schema.TaggedError<WindowQuarantined>()("WindowQuarantined", {
  windowStart: Schema.Finite,
  reason: Schema.String
}) {
  override get message() {
    return `the window at ${iso(this.windowStart)} is quarantined: ${this.reason}`
  }
}

/** Not every bar that was demanded came. */
export class StrictViolation extends Schema.TaggedError<StrictViolation>()("StrictViolation", {
  /** Both are absent where that takes the rows, and none were read. */
  expectedBars: Schema.optionalKey(Schema.Finite),
  gotBars: Schema.optionalKey(Schema.Finite),
  missingRanges: Schema.Array(MissingRange)
}) {
  override get message() {
    const absent = this.missingRanges.map(({ end, start }) => span(start, end)).join(", ")
    if (this.expectedBars === undefined) return `not every bar that was demanded is there; absent: ${absent}`
    return `${this.expectedBars} bars were demanded and ${this.gotBars} came; absent: ${absent}`
  }
}

/** The time was over, or what came was less than demanded, and the policy says that this is an error. */
export class SlaViolated extends Schema.TaggedError<SlaViolated>()("SlaViolated", {
  phase: Schema.String,
  budgetMs: Schema.Finite,
  waitedMs: Schema.Finite
}) {
  override get message() {
    const [waitedMs, budgetMs] = [Math.round(this.waitedMs), Math.round(this.budgetMs)]
    switch (this.phase) {
      case "minCoverage":
        return `fewer of the expected bars came than minCoverage demands, within ${waitedMs} ms`
      case "lag":
        return `the newest bar is ${waitedMs} ms behind, and maxLagMs is ${budgetMs}`
      default:
        return `${this.phase} took ${waitedMs} ms of ${budgetMs} ms`
    }
  }
}

/** The answer does not fit into one message. */
export class ResultTooLarge extends Schema.TaggedError<ResultTooLarge>()("ResultTooLarge", {
  bytes: Schema.Finite,
  bytesMax: Schema.Finite,
  /** Whether that is its account, at the least so large: parts do not help. */
  ofAccount: Schema.optionalKey(Schema.Boolean)
}) {
  override get message() {
    if (this.ofAccount === true) {
      return (
        `the account of the answer has ${this.bytes} bytes or more and the server takes ${this.bytesMax}: ` +
        "ask for a shorter range, or with returnMeta: false"
      )
    }
    return (
      `the answer has ${this.bytes} bytes and the server takes ${this.bytesMax}: ` +
      "take the answer in parts, or ask for a shorter range or for Arrow"
    )
  }
}

/** Stored bytes that a root names are not there, or are not what they were. */
export class StoreDamaged extends Schema.TaggedError<StoreDamaged>()("StoreDamaged", {
  key: Schema.String,
  problem: Schema.String
}) {
  override get message() {
    return `${this.key}: ${this.problem}`
  }
}
