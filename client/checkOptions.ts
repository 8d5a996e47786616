/**
 * Can what a program gives be asked as it stands?
 *
 * JSON says neither NaN nor a function, and drops them or makes null of them in silence; and times are the client's own
 * timers, too. So whatever can't be said is refused here, by name. The rest is for hosts to judge.
 */
import { Effect, Result, Schema } from "effect"
import { SlaPolicy } from "../protocol/history/SlaPolicy.ts"
import { SeamlessError } from "./SeamlessError.ts"

/** A request that nobody has to see to know that it is wrong. */
export const invalid = (field: string, problem: string): SeamlessError =>
  new SeamlessError({
    tag: "InvalidRequest",
    code: 400,
    message: `${field}: ${problem}`,
    fields: { field, problem }
  })

const shown = (value: unknown): string => (typeof value === "object" && value !== null ? "this" : String(value))

/** Whether it has fields of its own, as options and reads have. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date)

const problemOf = (value: unknown): string | undefined => {
  if (value === undefined || value === null || typeof value === "string" || typeof value === "boolean") return undefined
  if (typeof value === "number") return Number.isFinite(value) ? undefined : `${value} is no finite number`
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "is no date" : undefined
  return typeof value === "object" ? undefined : `a ${typeof value} can't be sent`
}

const below = (field: string, name: string): string => (field === "" ? name : `${field}.${name}`)

/** The first that JSON can't say of a value. */
const unsayable = (value: unknown, field: string, around: ReadonlyArray<object> = []): SeamlessError | undefined => {
  const problem = problemOf(value)
  if (problem !== undefined) return invalid(field, problem)
  if (typeof value !== "object" || value === null || value instanceof Date) return undefined
  if (around.includes(value)) return invalid(field, "is a part of itself")
  for (const [name, part] of Object.entries(value)) {
    const wrong = unsayable(part, below(field, name), [...around, value])
    if (wrong !== undefined) return wrong
  }
  return undefined
}

/** The first limit of a policy that is none; what this build does not know is for hosts to judge. */
const wrongLimit = (sla: unknown, field: string): SeamlessError | undefined => {
  if (sla === undefined) return undefined
  if (!isRecord(sla)) return invalid(field, `${shown(sla)} is no object`)
  for (const [name, { schema }] of Object.entries(SlaPolicy.fields)) {
    const value = sla[name]
    if (value === undefined) continue
    const decoded = Schema.decodeUnknownResult(schema)(value)
    if (Result.isFailure(decoded)) return invalid(below(field, name), decoded.failure.message)
  }
  return undefined
}

/** What is wrong with options, but for the signal; a `prefix` says whose they are. */
const wrongOptions = (options: unknown, prefix: string): SeamlessError | undefined => {
  if (!isRecord(options)) return invalid(prefix === "" ? "options" : prefix, `${shown(options)} is no object`)
  for (const [name, value] of Object.entries(options)) {
    const wrong = name === "signal" ? undefined : unsayable(value, below(prefix, name))
    if (wrong !== undefined) return wrong
  }
  return wrongLimit(options["sla"], below(prefix, "sla"))
}

const orElse = <A>(wrong: SeamlessError | undefined, found: A): Effect.Effect<A, SeamlessError> =>
  wrong === undefined ? Effect.succeed(found) : Effect.fail(wrong)

/** What of the options is sent: how the call is called off is the caller's own. */
export const sentOf = (options: unknown = {}, prefix = ""): Effect.Effect<object, SeamlessError> =>
  Effect.suspend(() => {
    const sent = isRecord(options) ? Object.entries(options).filter(([name]) => name !== "signal") : []
    return orElse(wrongOptions(options, prefix), Object.fromEntries(sent))
  })

/** What is wrong with what every call takes; undefined where nothing is. */
export const wrongCall = (options: unknown = {}): SeamlessError | undefined => {
  if (!isRecord(options)) return invalid("options", `${shown(options)} is no object`)
  const { signal } = options
  return signal === undefined || signal instanceof AbortSignal ? undefined : invalid("signal", "is no AbortSignal")
}

/** The texts that name a series. */
export const checkTexts = (texts: Readonly<Record<string, unknown>>): Effect.Effect<void, SeamlessError> => {
  const wrong = Object.entries(texts).find(([, value]) => typeof value !== "string")
  return orElse(wrong && invalid(wrong[0], `${shown(wrong[1])} is no text`), undefined)
}
