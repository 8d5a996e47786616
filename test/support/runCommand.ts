/** How does a test type a command line? */
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"

/** How a command ended, and what it wrote. */
export interface Run {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

const program = fileURLToPath(new URL("../../bin/seamless.ts", import.meta.url))

/**
 * Runs the real `seamless` to its end, without an address or a name in the environment but those given. Its output may
 * be redirected as a shell does it.
 */
export const runCommand = (
  args: ReadonlyArray<string>,
  set: Readonly<Record<string, string>> = {},
  redirect?: string
): Promise<Run> =>
  new Promise((resolve) => {
    const { SEAMLESS_NATS: _, SEAMLESS_OPERATOR: __, ...env } = process.env
    const line = [process.execPath, program, ...args]
    const [file = "", ...rest] = redirect === undefined ? line : ["sh", "-c", redirect, ...line]
    const child = spawn(file, rest, {
      env: { ...env, ...set },
      stdio: ["ignore", "pipe", "pipe"]
    })
    const out: Array<string> = []
    const err: Array<string> = []
    child.stdout.setEncoding("utf8").on("data", (text: string) => out.push(text))
    child.stderr.setEncoding("utf8").on("data", (text: string) => err.push(text))
    child.on("close", (code) => resolve({ code, out: out.join(""), err: err.join("") }))
  })
