/** What is said of a fault that nobody foresaw? */
import { Cause } from "effect"

const firstLine = (text: string): string => text.split("\n", 1)[0] ?? ""

/** One sentence; all of it where SEAMLESS_DEBUG is set, and how to set it where it isn't. */
export const describeDefect = (cause: Cause.Cause<unknown>): string =>
  process.env["SEAMLESS_DEBUG"] === "1"
    ? Cause.pretty(cause)
    : `seamless failed, and it should not have: ${firstLine(String(Cause.squash(cause)))}. ` +
      "SEAMLESS_DEBUG=1 shows where."
