/** With which options of node does a program of this repository want to be started? */
import { readFileSync } from "node:fs"
import { join } from "node:path"

const interpreter = /^#!.*\bnode\s+(?<options>.+)$/

/** What stands behind `node` in a file's first line; nothing where that names no interpreter. */
export const nodeOptions = (file: string): ReadonlyArray<string> => {
  const [line = ""] = readFileSync(join(import.meta.dirname, "../..", file), "utf8").split("\n", 1)
  return interpreter.exec(line)?.groups?.["options"]?.split(/\s+/) ?? []
}

/** Those of `seamless`: a bench that has a host starts it so, too. */
export const hostOptions = nodeOptions("bin/seamless.ts")
