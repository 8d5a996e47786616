/**
 * How does a test get a Python with packages of its own?
 *
 * In a folder that stays between runs, made by the machine's own Python from its own package index. A machine that has
 * none of these says which it lacks.
 */
import { execFile } from "node:child_process"
import { existsSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"

const run = promisify(execFile)

/** The interpreter, or why there is none. */
export type Python = { readonly path: string } | { readonly lacks: "no python3" | "no package index" }

/** A Python that has these packages. */
export const pythonWith = async (packages: ReadonlyArray<string>): Promise<Python> => {
  const folder = join(tmpdir(), `seamless-python-${packages.join("-")}`)
  const [path, mark] = [join(folder, "bin", "python"), join(folder, "complete")]
  if (existsSync(mark)) return { path }
  try {
    await run("python3", ["-m", "venv", folder])
  } catch {
    return { lacks: "no python3" }
  }
  try {
    await run(path, ["-m", "pip", "install", "--disable-pip-version-check", "--quiet", ...packages])
  } catch {
    return { lacks: "no package index" }
  }
  writeFileSync(mark, "")
  return { path }
}
