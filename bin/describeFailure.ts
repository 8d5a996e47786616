/** How is a failure told: to a person, and to a program? */
import { SeamlessError } from "../client/SeamlessError.ts"
import type { Format } from "./flags.ts"

/** A failure that was foreseen: every error of the product has a tag and a message. */
export type Foreseen = SeamlessError | { readonly _tag: string; readonly message: string }

/** A failure in plain data, as it is on the wire. */
interface Told {
  readonly error: Readonly<Record<string, unknown>> & { readonly tag: string; readonly message: string }
  readonly meta?: unknown
  readonly result?: unknown
}

// what every error has: told under names of its own, or not at all
const errorKeys: ReadonlySet<string> = new Set(["_tag", "name", "message", "stack", "cause"])

const fieldsOf = (failure: object): object =>
  Object.fromEntries(Object.entries(failure).filter(([key]) => !errorKeys.has(key)))

// a program has it; who types a command names the whole bars
const forPrograms = ', or with align: "expand"'

const tell = (failure: Foreseen): Told => {
  if (failure instanceof SeamlessError) {
    const { fields, meta, result, tag } = failure
    const message = tag === "UnalignedRange" ? failure.message.replace(forPrograms, "") : failure.message
    return { error: { tag, message, ...fields }, ...(meta && { meta }), ...(result && { result }) }
  }
  return { error: { tag: failure._tag, message: failure.message, ...fieldsOf(failure) } }
}

/** The failure's tag and message, or all of it as one line of JSON. */
export const describeFailure = (failure: Foreseen, format: Format): string => {
  const told = tell(failure)
  return format === "json" ? JSON.stringify(told) : `${told.error.tag}: ${told.error.message}`
}
