/**
 * How are many seeds run at once?
 *
 * By several processes of one thread each, which take turns: each gets a handful of seeds at a time, and is a new
 * process for each handful, so that nothing adds up over thousands of runs.
 */
import { spawn } from "node:child_process"
import process from "node:process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import type { Verdict } from "./runSeed.ts"

/** What a run came to, and what it cost. */
export interface Run extends Verdict {
  /** Time of the processor, in milliseconds. */
  readonly cpuMs: number
}

/** Which seeds, and of what. */
export interface Batch {
  readonly from: number
  readonly count: number
  /** The name of a mutant; the product without one. */
  readonly mutant?: string
  /** Whether to stop at the first seed that has a problem. */
  readonly stops?: boolean
  readonly isTraced?: boolean
}

const bootstrap = new URL("bootstrap.ts", import.meta.url).href
const worker = fileURLToPath(new URL("worker.ts", import.meta.url))

/** Young values are collected less often in a larger nursery: runs make many, and keep few. */
const nodeFlags = ["--max-semi-space-size=64", "--conditions=seamless-source", "--import", bootstrap]

const isRun = (value: unknown): value is Run => typeof value === "object" && value !== null && "hash" in value

const parse = (line: string): Run => {
  const value: unknown = JSON.parse(line)
  if (!isRun(value)) throw new Error(`no verdict: ${line}`)
  return value
}

/** Runs a batch in a process of its own; calls `onRun` for each seed. Rejects where the process breaks. */
export const runBatch = async (
  { count, from, isTraced = false, mutant = "", stops = false }: Batch,
  onRun: (run: Run) => void
): Promise<void> => {
  const child = spawn(
    process.execPath,
    [...nodeFlags, worker, String(from), String(count), String(stops), String(isTraced)],
    {
      env: { ...process.env, SEAMLESS_SIM_MUTANT: mutant },
      stdio: ["ignore", "pipe", "inherit"]
    }
  )
  const stop = (): void => void child.kill("SIGKILL")
  process.once("exit", stop)
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject)
    child.once("close", resolve)
  })
  // told below: one that can't be started says so before it has said anything else
  ended.catch(() => undefined)
  try {
    for await (const line of createInterface({ input: child.stdout })) onRun(parse(line))
  } finally {
    if (child.exitCode === null && child.stdout.readable) stop()
    process.off("exit", stop)
  }
  const code = await ended
  if (code !== 0) throw new Error(`a process of the simulation ended with ${code}`)
}

/** Does the tasks, so many at a time. */
export const inTurns = async (tasks: ReadonlyArray<() => Promise<void>>, atOnce: number): Promise<void> => {
  const queue = [...tasks]
  const lane = async (): Promise<void> => {
    for (let task = queue.shift(); task !== undefined; task = queue.shift()) await task()
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
}
