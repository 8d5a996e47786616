/** What is told of a source that was not asked, through no fault of its own? */
import { Schema } from "effect"

/**
 * No request could be sent to a source, because its budget had no place for it or could not be asked. The source has no
 * part in that.
 */
export class BudgetUnavailable extends Schema.TaggedError<BudgetUnavailable>()("BudgetUnavailable", {
  source: Schema.String,
  reason: Schema.String,
  /** Epoch milliseconds from which asking again makes sense; null where nobody knows. */
  retryAt: Schema.NullOr(Schema.Finite)
}) {
  override get message() {
    return `source ${this.source} was not asked: ${this.reason}`
  }
}
