/** Which limit of a policy does a person mean? One field, `=`, and its value. */
import type { SlaPolicy } from "../protocol/history/SlaPolicy.ts"

const outcomes = ["error", "partial"]

const amount = (text: string): number | undefined => {
  const value = text.trim() === "" ? Number.NaN : Number(text)
  return Number.isFinite(value) && value >= 0 ? value : undefined
}

const share = (text: string): number | undefined => {
  const value = amount(text)
  return value === undefined || value > 1 ? undefined : value
}

const outcome = (text: string): string | undefined => (outcomes.includes(text) ? text : undefined)

/** How the value of a field is read, and what it has to be. */
interface Field {
  readonly parse: (text: string) => number | string | undefined
  readonly form: string
}

const ms: Field = { parse: amount, form: "milliseconds, 0 or more" }
const bars: Field = { parse: amount, form: "a number of bars, 0 or more" }
const whatThen: Field = { parse: outcome, form: outcomes.join(" or ") }

/** Each but the deadline, which has a flag of its own. */
const fields: Readonly<Record<Exclude<keyof SlaPolicy, "totalDeadlineMs">, Field>> = {
  maxWaitStorageMs: ms,
  maxWaitBackfillMs: ms,
  maxWaitLiveMs: ms,
  retryBackoffMs: ms,
  maxSyncGapBars: bars,
  maxSyncGapMs: ms,
  maxLagMs: ms,
  minCoverage: { parse: share, form: "a share, 0 to 1" },
  onViolation: whatThen,
  onBackfillFailure: whatThen
}

const fieldOf = (name: string): Field | undefined => Object.entries(fields).find(([known]) => known === name)?.[1]

const split = (text: string): readonly [name: string, value: string] => {
  const at = text.indexOf("=")
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)]
}

/**
 * The limit; undefined where the text is none.
 *
 * @example
 * parseSla("maxSyncGapBars=10") // => { maxSyncGapBars: 10 }
 * parseSla("onViolation=error") // => { onViolation: "error" }
 */
export const parseSla = (text: string): SlaPolicy | undefined => {
  const [name, value] = split(text)
  const parsed = fieldOf(name)?.parse(value)
  return parsed === undefined ? undefined : { [name]: parsed }
}

/** What a text that is no limit would have to be. */
export const slaProblem = (text: string): string => {
  const [name] = split(text)
  if (name === "totalDeadlineMs") return "another field: the deadline is --deadline"
  const field = fieldOf(name)
  return field === undefined
    ? `FIELD=VALUE, and FIELD one of ${Object.keys(fields).join(", ")}`
    : `${name}=VALUE, and VALUE ${field.form}`
}
