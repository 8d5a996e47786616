/**
 * What lies where in a data folder with its own NATS server?
 *
 * `nats.json` is how others find the server: it's replaced whole, so a reader never sees half of it. Only the holder
 * of the folder's lock writes here.
 */
import { Option, Schema } from "effect"
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { basename, dirname, join, resolve } from "node:path"

// 8 MB is the largest payload the server takes without a warning; a full frame of bars fits.
const payloadLimit = "8MB"

// A frozen client or server is noticed within three of these.
const pingInterval = "1s"
const pingsUnanswered = 2

const logLimit = "10MB"
const logFilesMax = 3

const logTailLines = 3

/** The paths of one data folder. */
export interface ServerFolder {
  readonly dataDir: string
  readonly lock: string
  readonly config: string
  readonly log: string
}

const ServerUrl = Schema.String.check(Schema.isPattern(/^nats:\/\/[\d.]+:\d+$/))

/** What `nats.json` says: the address, the server's process id, and whether it was up when this was written. */
export const ServerState = Schema.Struct({
  /** The last known address, kept while the server is down so that the next one takes the same port. */
  url: Schema.NullOr(ServerUrl),
  pid: Schema.Int,
  running: Schema.Boolean
})
export type ServerState = typeof ServerState.Type

const decodeState = Schema.decodeUnknownOption(Schema.fromJsonString(ServerState))

// what a server says of its ports: a list of addresses a kind
const decodePorts = Schema.decodeUnknownOption(
  Schema.fromJsonString(Schema.Struct({ nats: Schema.NonEmptyArray(ServerUrl) }))
)

const stateFile = (dataDir: string): string => join(dataDir, "nats.json")

const portsDir = (folder: ServerFolder): string => join(folder.dataDir, "ports")

const readText = Option.liftThrowable((file: string): string => readFileSync(file, "utf8"))

/** Makes a folder and those that it is in, one by one: making them in one call never returns on some file systems. */
const makeFolder = (path: string): void => {
  if (existsSync(path)) return
  makeFolder(dirname(path))
  try {
    mkdirSync(path)
  } catch {
    // another process may have had the same idea; where it is not there now either, this tells why
    if (!existsSync(path)) mkdirSync(path)
  }
}

/** Makes the folder if need be. Its path is the real one, so that all who open it agree on its name; may throw. */
export const open = (dataDir: string): ServerFolder => {
  makeFolder(resolve(dataDir))
  const real = realpathSync(dataDir)
  return { dataDir: real, lock: join(real, "lock"), config: join(real, "nats.conf"), log: join(real, "nats.log") }
}

/** What is known of the folder's server; none before the first start. */
export const readState = (dataDir: string): Option.Option<ServerState> =>
  Option.flatMap(readText(stateFile(dataDir)), decodeState)

/** Replaces what is known of the server; may throw. */
export const writeState = (folder: ServerFolder, state: ServerState): void => {
  const staged = `${stateFile(folder.dataDir)}.new`
  writeFileSync(staged, `${JSON.stringify(state)}\n`)
  renameSync(staged, stateFile(folder.dataDir))
}

/** Readies the folder for a start on a port, -1 for any free one; may throw. */
export const prepare = (folder: ServerFolder, port: number): void => {
  // what a killed server said of its ports would be mistaken for the next one's
  rmSync(portsDir(folder), { recursive: true, force: true })
  mkdirSync(portsDir(folder))
  writeFileSync(folder.config, configText(folder, port))
}

/** The address that the server with this process id says it listens on; none until it does. */
export const announcedUrl = (folder: ServerFolder, pid: number): Option.Option<string> => {
  const file = readdirSync(portsDir(folder)).find((name) => name.endsWith(`_${pid}.ports`))
  if (file === undefined) return Option.none()
  return readText(join(portsDir(folder), file)).pipe(
    Option.flatMap(decodePorts),
    Option.map(({ nats }) => nats[0])
  )
}

/** The end of the server's log, for a message; may throw. */
export const logTail = (folder: ServerFolder): string =>
  readFileSync(folder.log, "utf8").trimEnd().split("\n").slice(-logTailLines).join("\n")

// a quoted string of NATS's configuration escapes as JSON does
const quote = (text: string): string => JSON.stringify(text)

const configText = (folder: ServerFolder, port: number): string => {
  const name = `embedded-${basename(folder.dataDir)}`.replaceAll(/[^\w.-]/g, "-")
  return `# Written at each start; changes are lost.
server_name: ${quote(name)}
host: 127.0.0.1
port: ${port}
ports_file_dir: ${quote(portsDir(folder))}
max_payload: ${payloadLimit}
ping_interval: ${quote(pingInterval)}
ping_max: ${pingsUnanswered}
log_file: ${quote(folder.log)}
logfile_size_limit: ${logLimit}
logfile_max_num: ${logFilesMax}
jetstream {
  store_dir: ${quote(join(folder.dataDir, "jetstream"))}
}
`
}
