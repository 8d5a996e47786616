/** May a request that was refused be sent again as it is? */

/** `no`: something else has to change first; `once`: one more try does no harm; `later`: with pauses that grow. */
export type AskAgain = "no" | "once" | "later"

/** What another try does not mend by itself, whatever its code says of others. */
const notMended: ReadonlySet<string> = new Set(["RowsRejected", "BackfillOff", "DeadlineExceeded", "SlaViolated"])

const byCode = (code: number): AskAgain => {
  if (code === 500) return "once"
  return code === 429 || (code >= 502 && code <= 504) ? "later" : "no"
}

/** What holds for an error of that tag and code; one whose tag nobody knows goes by its code. */
export const askAgain = (tag: string, code: number): AskAgain => (notMended.has(tag) ? "no" : byCode(code))
