/** How is a program of the plain client run, as its user runs it? */
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import type { Run } from "./runCommand.ts"

const folder = fileURLToPath(new URL("../plain/", import.meta.url))

/** Runs a program of `test/plain` to its end, in Node and without anything of this project's. */
export const runPlain = (program: string, args: ReadonlyArray<string>): Promise<Run> =>
  new Promise((resolve) => {
    execFile(process.execPath, [folder + program, ...args], { maxBuffer: 2 ** 24 }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, err })
    )
  })
