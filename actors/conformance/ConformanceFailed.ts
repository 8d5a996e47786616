/**
 * Why could rows not be conformed?
 */
import { Predicate, Result, Schema } from "effect"

/** The steps of the pipeline, in order. */
const stepNames = [
  "toUtc",
  "alignToInterval",
  "markOutOfOrder",
  "castColumns",
  "rollUp",
  "markDuplicates",
  "checkQuality",
  "seal"
] as const
/** One of them. */
export type StepName = (typeof stepNames)[number]

/**
 * The rows as given cannot be read under the schema and its rules, and none of them is taken. Giving the same rows
 * again fails again: the source, its adapter, the schema or the step has to change.
 */
export class ConformanceFailed extends Schema.TaggedError<ConformanceFailed>()("ConformanceFailed", {
  step: Schema.Literals(stepNames),
  /** The column at fault, where it is one column. */
  column: Schema.optionalKey(Schema.String),
  /** The row at fault, counted from 0 in the order given. */
  row: Schema.optionalKey(Schema.Int),
  message: Schema.String
}) {}

// A message ends up in logs and job records; a source may hand over a page of HTML where a number should be.
const quotedLengthMax = 60

/** A value as it stands in a message, cut off where it is long. */
export const quote = (value: unknown): string => {
  const text = typeof value === "string" ? JSON.stringify(value) : String(value)
  return text.length > quotedLengthMax ? `${text.slice(0, quotedLengthMax)}…` : text
}

const crashed = (step: StepName, cause: unknown): ConformanceFailed => {
  const said = Predicate.isError(cause) ? cause.message : quote(cause)
  return new ConformanceFailed({ step, message: `${step} broke off: ${said}` })
}

/**
 * What a step gives. One that breaks off where it was not meant to has failed like any other: rows that it has not
 * seen pass for nothing.
 */
export const runStep = <A>(
  step: StepName,
  run: () => Result.Result<A, ConformanceFailed>
): Result.Result<A, ConformanceFailed> =>
  Result.flatMap(Result.try({ try: run, catch: (cause) => crashed(step, cause) }), (result) => result)
