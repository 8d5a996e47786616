/** What plain data is in a YAML file, or why is there none? */
import { Effect, Predicate, Result } from "effect"
import { readFile } from "node:fs/promises"
import { LineCounter, parseDocument } from "yaml"
import type { Mistake } from "./Mistake.ts"

const firstLine = (text: string): string => text.split("\n", 1)[0]!.replace(/:$/, "")

/** The plain data in YAML text. */
export const parseYaml = (text: string): Result.Result<unknown, ReadonlyArray<Mistake>> => {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  if (document.errors.length > 0) {
    return Result.fail(
      document.errors.map(({ message, pos }) => {
        const { col, line } = lines.linePos(pos[0])
        return { path: `line ${line}, column ${col}`, problem: firstLine(message) }
      })
    )
  }
  // aliases are followed only now
  return Result.try({
    try: (): unknown => document.toJS(),
    catch: (cause) => [{ path: "", problem: firstLine(cause instanceof Error ? cause.message : String(cause)) }]
  })
}

const reasonOf = (cause: unknown): string => {
  const code = Predicate.hasProperty(cause, "code") ? cause.code : undefined
  if (code === "ENOENT") return "there is no such file"
  if (code === "EISDIR") return "is a folder, not a file"
  return code === "EACCES" ? "may not be read by this user" : String(cause)
}

/** The plain data in a YAML file. */
export const readYaml = Effect.fnUntraced(function* (file: string) {
  const text = yield* Effect.tryPromise({
    try: () => readFile(file, "utf8"),
    catch: (cause): ReadonlyArray<Mistake> => [{ path: "", problem: reasonOf(cause) }]
  })
  return yield* Effect.fromResult(parseYaml(text))
})
