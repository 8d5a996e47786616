/** How does a bench get a program of this repository as a process that it may stop the time of? */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import process from "node:process"
import { createInterface } from "node:readline"
import { Effect } from "effect"
import { nodeOptions } from "./nodeOptions.ts"

/** A program that has said that it is ready. */
interface Program {
  readonly child: ChildProcess
  /** The line of JSON that it said. */
  readonly line: string
}

const root = join(import.meta.dirname, "../..")

const end = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, "exit")
  child.kill("SIGCONT")
  child.kill("SIGTERM")
  const late = setTimeout(() => child.kill("SIGKILL"), 10_000)
  await ended
  clearTimeout(late)
}

/** Starts a file of this repository as its first line says, and waits until it writes one; it ends with the scope. */
export const startProgram = (file: string, args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const command = [...nodeOptions(file), join(root, file), ...args]
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => spawn(process.execPath, command, { stdio: ["ignore", "pipe", "ignore"] })),
      (child) => Effect.promise(() => end(child))
    )
    const reader = createInterface(child.stdout)
    const [line] = yield* Effect.promise(() =>
      Promise.race([once(reader, "line"), once(child, "exit").then(() => [""])])
    )
    if (line === "") return yield* Effect.die(new Error(`${file} ended before it was ready`))
    // who does not read what it says makes it wait one day
    reader.on("line", () => undefined)
    return { child, line: String(line) } satisfies Program
  })
