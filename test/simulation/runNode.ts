/** How does a test start a program of the simulation? */
import { spawn } from "node:child_process"
import process from "node:process"

/** How a program ended, and what it wrote. */
export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Runs node with these arguments to its end. */
export const runNode = (args: ReadonlyArray<string>, set: Readonly<Record<string, string>> = {}): Promise<Ended> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, ["--conditions=seamless-source", ...args], {
      env: { ...process.env, ...set },
      stdio: ["ignore", "pipe", "pipe"]
    })
    const out: Array<string> = []
    const err: Array<string> = []
    child.stdout.setEncoding("utf8").on("data", (text: string) => out.push(text))
    child.stderr.setEncoding("utf8").on("data", (text: string) => err.push(text))
    child.on("close", (code) => resolve({ code, out: out.join(""), err: err.join("") }))
  })
