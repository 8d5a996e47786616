/** How is a failure told: to a person, and to a program? */
import { Predicate } from "effect"
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

const withoutErrorKeys = ({ _tag: _, cause: __, message: ___, name: ____, stack: _____, ...fields }: object & {
  readonly [key: string]: unknown
}): object => fields

const tell = (failure: Foreseen): Told => {
  if (failure instanceof SeamlessError) {
    const { fields, message, meta, result, tag } = failure
    return { error: { tag, message, ...fields }, ...(meta && { meta }), ...(result && { result }) }
  }
  const fields = Predicate.isObject(failure) ? withoutErrorKeys({ ...failure }) : {}
  return { error: { tag: failure._tag, message: failure.message, ...fields } }
}

/** The failure's tag and message, or all of it as one line of JSON. */
export const describeFailure = (failure: Foreseen, format: Format): string => {
  const told = tell(failure)
  return format === "json" ? JSON.stringify(told) : `${told.error.tag}: ${told.error.message}`
}
