/** How are the programs of the demonstration started, watched and ended? */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

/** A program that runs, and what it said when it was ready. */
export interface Running {
  readonly name: string
  readonly child: ChildProcess
  readonly ready: Readonly<Record<string, unknown>>
}

/** What to start; `onLog` is given each line of its error output. */
export interface Program {
  readonly name: string
  readonly command: string
  readonly args: ReadonlyArray<string>
  readonly onLog?: (line: string) => void
}

/** A file of the project, by its path from the root. */
export const projectFile = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))

const started = new Set<ChildProcess>()

const launch = ({ args, command, name, onLog }: Program): ChildProcess => {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] })
  started.add(child)
  child.once("exit", () => started.delete(child))
  const lastLines: Array<string> = []
  createInterface({ input: child.stderr }).on("line", (line) => {
    lastLines.push(line)
    if (lastLines.length > 20) lastLines.shift()
    onLog?.(line)
  })
  child.once("exit", (code) => {
    if (code !== 0 && code !== null) console.error(`${name} ended with ${code}:\n${lastLines.join("\n")}`)
  })
  return child
}

/** Starts a program that says in one line of JSON when it is ready. */
export const start = async (program: Program): Promise<Running> => {
  const child = launch(program)
  const { promise, reject, resolve } = Promise.withResolvers<Running>()
  child.once("exit", () => reject(new Error(`${program.name} ended before it was ready`)))
  createInterface({ input: child.stdout! }).on("line", (line) => {
    if (line.startsWith('{"ready":true')) {
      resolve({ name: program.name, child, ready: JSON.parse(line) as Record<string, unknown> })
    }
  })
  return promise
}

/** JetStream on a folder, any free port, and messages of up to 8 MB: ten days of bars are one answer. */
const natsConfiguration = (storeDir: string): string => `
listen: "127.0.0.1:-1"
max_payload: 8MB
jetstream { store_dir: "${storeDir}" }
`

/** Starts nats-server and waits until it says that it serves; gives its address. */
export const startNats = async (binary: string, folder: string): Promise<string> => {
  const config = join(folder, "nats.conf")
  await writeFile(config, natsConfiguration(join(folder, "nats")))
  const { promise, resolve } = Promise.withResolvers<string>()
  const onLog = (line: string): void => {
    const address = /client connections on (\S+)/.exec(line)?.[1]
    if (address !== undefined) resolve(`nats://${address}`)
  }
  launch({ name: "nats-server", command: binary, args: ["-c", config], onLog })
  return promise
}

/** The output of a program that ends by itself. */
export const outputOf = async (args: ReadonlyArray<string>): Promise<string> => {
  const child = launch({ name: args.join(" "), command: process.execPath, args })
  const parts: Array<string> = []
  child.stdout?.on("data", (part: Buffer) => parts.push(part.toString()))
  await once(child, "close")
  return parts.join("")
}

/** Ends everything that was started here and still runs. */
export const stopAll = async (): Promise<void> => {
  const ends = Array.from(started, (child) => {
    const ended = once(child, "exit")
    child.kill("SIGTERM")
    return ended
  })
  await Promise.all(ends)
}
