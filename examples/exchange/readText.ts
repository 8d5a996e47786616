/** What does a file say? */
import { readFileSync } from "node:fs"
import { UsageError } from "./UsageError.ts"

/** The text of a file. Fails with a `UsageError` that names it. */
export const readText = (file: string): string => {
  try {
    return readFileSync(file, "utf8")
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new UsageError(`${file}: cannot be read (${why}); give the path of a CSV file`, { cause })
  }
}
