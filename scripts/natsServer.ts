/**
 * Where is a nats-server this project can use, and if there is none, how does one get here?
 *
 * Looked for in this order: the setting, PATH, the project's own folder; then fetched into that folder.
 * Only node's builtins are imported, so that it runs from the source, from dist and before anything else is set up.
 */
import { execFileSync, spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { constants } from "node:os"
import { delimiter, dirname, join, resolve } from "node:path"
import process from "node:process"
import { fetchFromDebian } from "./fetchNatsServer.ts"

/** The environment variable that names a server, and by which a command started here is told. */
const setting = "SEAMLESS_NATS_SERVER"

// The first release with atomic batches, on which every commit of a coverage root rests.
const minimum = { major: 2, minor: 12 }

// A healthy server prints its version in milliseconds.
const versionTimeoutMs = 10_000

const minimumText = `${minimum.major}.${minimum.minor}`

const ways = `Ways to get a nats-server of ${minimumText} or newer:
  - put one on PATH: unpack a release of github.com/nats-io/nats-server
  - name one by its path: ${setting}=/opt/nats/nats-server
  - install one by your package manager, if it has ${minimumText}: brew install nats-server, apt install nats-server
  - use one that runs already: give its address with --nats URL`

const help = `Finds a nats-server of ${minimumText} or newer.

  node scripts/natsServer.ts                      print its path
  node scripts/natsServer.ts -- COMMAND ARGS...   run a command with ${setting} set to it
  node scripts/natsServer.ts --help               print this

Looks at ${setting}, at PATH, then at .bin/nats-server beside package.json, and fetches that one
if need be, where apt-get and dpkg-deb exist.

Exit codes: 0 found, 1 there is none, 2 a wrong setting or argument; with a command, that command's own.`

const say = (line: string): void => console.error(line)

const firstLine = (cause: unknown): string =>
  (cause instanceof Error ? cause.message : String(cause)).split("\n", 1)[0]!

/** What is wrong with a server, or nothing if it can be used. */
const problemOf = (server: string): string | undefined => {
  let printed: string
  try {
    printed = execFileSync(server, ["--version"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      timeout: versionTimeoutMs
    })
  } catch (cause) {
    return `it does not run (${firstLine(cause)})`
  }
  const found = /(\d+)\.(\d+)\.\d+/.exec(printed)
  if (found === null) return "it prints no version"
  const [major, minor] = [Number(found[1]), Number(found[2])]
  const enough = major > minimum.major || (major === minimum.major && minor >= minimum.minor)
  return enough ? undefined : `its version is ${found[0]}, and ${minimumText} is the oldest that works`
}

/** The first usable server on PATH; says which it passes over, because the user may wonder. */
const onPath = (): string | undefined => {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "")
  return folders
    .map((folder) => resolve(folder, "nats-server"))
    .filter((candidate) => existsSync(candidate))
    .find((candidate) => {
      const problem = problemOf(candidate)
      if (problem !== undefined) say(`passed over ${candidate}: ${problem}`)
      return problem === undefined
    })
}

/** The folder of package.json: one level up in the source, two in dist. */
const packageRoot = (folder: string): string => {
  const parent = dirname(folder)
  return existsSync(join(folder, "package.json")) || parent === folder ? folder : packageRoot(parent)
}

/** The project's own server, fetched if it is not there yet. */
const inProject = (): string | undefined => {
  const target = join(packageRoot(import.meta.dirname), ".bin", "nats-server")
  if (existsSync(target) && problemOf(target) === undefined) return target
  const failure = fetchFromDebian({ target, problemOf, say })
  if (failure === undefined) return target
  say(`could not fetch one: ${failure}`)
  return undefined
}

/** The path of a usable server, or the exit code when there is none; what was wrong is said by then. */
const find = (): string | number => {
  const named = process.env[setting]
  if (named !== undefined && named !== "") {
    const problem = problemOf(resolve(named))
    if (problem === undefined) return resolve(named)
    say(`${setting} names ${named}, but ${problem}.\n${ways}`)
    return 2
  }
  const found = onPath() ?? inProject()
  if (found !== undefined) return found
  say(`No usable nats-server was found.\n${ways}`)
  return 1
}

/** Hands signals to the command. A terminal gives INT and HUP to the command itself, and twice would mean "at once". */
const passSignals = (send: (signal: NodeJS.Signals) => void): void => {
  process.on("SIGTERM", send)
  for (const signal of ["SIGINT", "SIGHUP"] as const) {
    process.on(signal, process.stdin.isTTY ? () => undefined : send)
  }
}

/** Runs a command that finds the server in its environment, and ends as the command ends. */
const run = (server: string, command: string, args: ReadonlyArray<string>): void => {
  const child = spawn(command, args, { stdio: "inherit", env: { ...process.env, [setting]: server } })
  passSignals((signal) => child.kill(signal))
  child.on("error", (cause) => {
    say(`could not run ${command}: ${cause.message}`)
    process.exitCode = 127
  })
  child.on("exit", (code, signal) => {
    // the shell's way of telling a death by signal
    process.exitCode = code ?? 128 + constants.signals[signal ?? "SIGKILL"]
  })
}

const main = ([first, command, ...args]: ReadonlyArray<string>): void => {
  if (first === "--help" || first === "-h") return console.log(help)
  if (first !== undefined && (first !== "--" || command === undefined)) {
    say(help)
    process.exitCode = 2
    return
  }
  const found = find()
  if (typeof found === "number") process.exitCode = found
  else if (command === undefined) console.log(found)
  else run(found, command, args)
}

main(process.argv.slice(2))
