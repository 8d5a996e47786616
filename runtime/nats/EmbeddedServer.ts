/**
 * How does a host without a NATS server get its own?
 *
 * One server a data folder: whoever holds the folder's lock runs it, everybody else joins it. Two on one store would
 * both acknowledge and corrupt it silently, so the lock comes first, then the end of any earlier server, then the
 * start.
 */
import { Effect, Exit, Option, Schedule, Schema, Scope } from "effect"
import { execFile } from "node:child_process"
import { promisify } from "node:util"
import * as FolderLock from "./FolderLock.ts"
import { probeServer } from "./probeServer.ts"
import * as ServerFolder from "./ServerFolder.ts"
import * as ServerProcess from "./ServerProcess.ts"

// The first release that has all of what Seamless asks of a server: see the decision about packages.
const minimum = { major: 2, minor: 12 }

const versionTimeoutMs = 5_000

// Opening a large store after a kill reads all of it.
const startTimeout = "60 seconds"

const joinTimeout = "10 seconds"

// A watcher ends an orphan within 5 seconds, and looks once a second.
const orphanTimeout = "6 seconds"

// A member that only joined looks after the server too: without it, it serves nobody.
const lookEvery = "1 second"
const goneAfterLooks = 30

const anyPort = -1

const poll = Schedule.spaced("20 millis")

const ways =
  `Put a nats-server of ${minimum.major}.${minimum.minor} or newer on PATH, ` +
  "name one by SEAMLESS_NATS_SERVER=PATH_OF_IT, or use one that runs already by --nats URL."

/** The folder has no server, and none could be started or joined. The reason says what to do; trying again is safe. */
export class EmbeddedServerFailed extends Schema.TaggedError<EmbeddedServerFailed>()("EmbeddedServerFailed", {
  dataDir: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return this.reason
  }
}

/** A server to connect to. */
interface EmbeddedServer {
  readonly url: string
  /** False: it's another process's, joined because it had the folder first. */
  readonly started: boolean
  /** Fails when the server has ended: a host that goes on would serve nobody. */
  readonly failure: Effect.Effect<never, EmbeddedServerFailed>
}

/** Where to start, and what. */
export interface StartOptions {
  readonly dataDir: string
  readonly binary: string
}

/** An effect that fails with a reason; the folder is added at the end. */
type Attempt<A, R = never> = Effect.Effect<A, string, R>

const attempt = <A>(what: string, run: () => A): Attempt<A> =>
  Effect.try({ try: run, catch: (cause) => `${what}: ${String(cause)}` })

/** The address of the folder's server as it was last written: none if there never was one, or it was stopped. */
export const readAddress = (dataDir: string): Effect.Effect<Option.Option<string>> =>
  Effect.sync(() =>
    ServerFolder.readState(dataDir).pipe(
      Option.filter(({ running }) => running),
      Option.flatMap(({ url }) => Option.fromNullOr(url))
    )
  )

const checkVersion = Effect.fnUntraced(function* (binary: string) {
  const { stdout } = yield* Effect.tryPromise({
    try: () => promisify(execFile)(binary, ["--version"], { timeout: versionTimeoutMs }),
    catch: (cause) => `The nats-server ${binary} does not run (${String(cause)}). ${ways}`
  })
  const [, major, minor] = /(\d+)\.(\d+)\.\d+/.exec(stdout) ?? []
  const found = { major: Number(major), minor: Number(minor) }
  const enough = found.major > minimum.major || (found.major === minimum.major && found.minor >= minimum.minor)
  const refusal = `The nats-server ${binary} is too old, or none (--version says "${stdout.trim()}"). ${ways}`
  return yield* enough ? Effect.void : Effect.fail(refusal)
})

class NoAnswer extends Schema.TaggedError<NoAnswer>()("NoAnswer", {}) {}

/** The address of the holder's server, if it answers. */
const joinHolder = Effect.fnUntraced(function* (folder: ServerFolder.ServerFolder) {
  const url = yield* readAddress(folder.dataDir)
  if (Option.isSome(url) && (yield* probeServer(url.value))) return url
  return yield* new NoAnswer()
})

/**
 * Either the lock, or the address of the server of its holder. Tries both in turn, since a holder may die meanwhile; at
 * odd times, since two who reach for a free lock at once can both be told that it's taken.
 */
const lockOrJoin = (folder: ServerFolder.ServerFolder): Attempt<Option.Option<string>, Scope.Scope> =>
  FolderLock.acquire(folder.lock).pipe(
    Effect.as(Option.none<string>()),
    Effect.catchTag("FolderBusy", () => joinHolder(folder)),
    Effect.retry({
      schedule: Schedule.spaced("100 millis").pipe(Schedule.jittered, Schedule.upTo({ duration: joinTimeout })),
      while: (error) => error._tag === "NoAnswer"
    }),
    Effect.catchTags({
      NoAnswer: () =>
        Effect.fail(
          `Another process holds ${folder.dataDir}, but its server gives no answer for ${joinTimeout}. ` +
            `Look into ${folder.log}, or end that process.`
        ),
      FolderUnlockable: ({ reason }) => Effect.fail(`${folder.lock} can't be locked: ${reason}`)
    })
  )

/** Says that the server is down; its process id stays, for whoever must wait for its end. */
const markDown = (folder: ServerFolder.ServerFolder): Attempt<void> =>
  attempt("nats.json can't be written", () => {
    const state = ServerFolder.readState(folder.dataDir)
    if (Option.isSome(state)) ServerFolder.writeState(folder, { ...state.value, running: false })
  })

/** Stops the server of a killed parent, if it still lives, and waits until it's dead. The lock says the parent is. */
const endOrphan = Effect.fnUntraced(function* (folder: ServerFolder.ServerFolder) {
  const state = ServerFolder.readState(folder.dataDir)
  if (Option.isNone(state)) return
  const { pid } = state.value
  const isDead = Effect.sync(() => !ServerProcess.isAlive(pid, folder))
  if (!(yield* isDead)) yield* ServerProcess.stopOrphan(pid)
  yield* isDead.pipe(
    Effect.repeat({ schedule: poll, until: (dead) => dead }),
    Effect.timeoutOrElse({
      duration: orphanTimeout,
      orElse: () =>
        Effect.fail(`An earlier server (process ${pid}) has ${folder.dataDir} open and does not stop. End it.`)
    })
  )
})

/** The address of a server that was let go, as soon as it answers. */
const awaitAnswer = (folder: ServerFolder.ServerFolder, pid: number): Effect.Effect<string> => {
  const look = Effect.gen(function* () {
    const url = ServerFolder.announcedUrl(folder, pid)
    return Option.isSome(url) && (yield* probeServer(url.value)) ? url : Option.none()
  })
  return look.pipe(
    Effect.repeat({ schedule: poll, until: (found) => Option.isSome(found) }),
    Effect.flatMap(Effect.fromOption),
    Effect.orDie
  )
}

/** Starts a server on a port; none if it ends instead of answering. */
const launch = Effect.fnUntraced(function* (binary: string, folder: ServerFolder.ServerFolder, port: number) {
  const lastUrl = Option.match(ServerFolder.readState(folder.dataDir), { onNone: () => null, onSome: ({ url }) => url })
  yield* attempt("the server's configuration can't be written", () => ServerFolder.prepare(folder, port))
  const server = yield* ServerProcess.spawn(binary, folder).pipe(Effect.mapError(({ reason }) => reason))
  const note = (state: Omit<ServerFolder.ServerState, "pid">) =>
    attempt("nats.json can't be written", () => ServerFolder.writeState(folder, { ...state, pid: server.pid }))
  // the id is on disk before the store is open: whoever comes after a kill knows what to wait for
  yield* note({ url: lastUrl, running: false })
  yield* server.allowStart
  const url = yield* Effect.asSome(awaitAnswer(folder, server.pid)).pipe(
    Effect.raceFirst(Effect.as(server.ended, Option.none<string>())),
    Effect.timeoutOrElse({
      duration: startTimeout,
      orElse: () => Effect.fail(`The nats-server gave no answer for ${startTimeout}; its log is ${folder.log}.`)
    })
  )
  if (Option.isNone(url)) return Option.none()
  yield* note({ url: url.value, running: true })
  const ended = Effect.map(
    server.ended,
    (how) => `The embedded nats-server ended by itself (${how}); its log is ${folder.log}.`
  )
  return Option.some({ url: url.value, ended })
})

/** The last port again, so that whoever knew the old address still finds the server; any other if that one is taken. */
const launchOnLastPort = Effect.fnUntraced(function* (binary: string, folder: ServerFolder.ServerFolder) {
  const lastUrl = Option.flatMap(ServerFolder.readState(folder.dataDir), ({ url }) => Option.fromNullOr(url))
  const ports = [...Option.toArray(lastUrl).map((url) => Number(new URL(url).port)), anyPort]
  for (const port of ports) {
    const server = yield* launch(binary, folder, port)
    if (Option.isSome(server)) return server.value
  }
  const tail = yield* attempt(`${folder.log} can't be read`, () => ServerFolder.logTail(folder))
  return yield* Effect.fail(`The nats-server ended at once. ${folder.log} ends with:\n${tail}`)
})

/** Fails when another process's server has not answered for a while: whoever ran it may be back before that. */
const failWhenGone = (dataDir: string, url: string): Effect.Effect<never, EmbeddedServerFailed> => {
  const reason = `The nats-server of ${dataDir}, which another process ran, has been gone for ${goneAfterLooks} s.`
  return Effect.gen(function* () {
    let misses = 0
    while (misses < goneAfterLooks) {
      yield* Effect.sleep(lookEvery)
      misses = (yield* probeServer(url)) ? 0 : misses + 1
    }
    return yield* new EmbeddedServerFailed({ dataDir, reason })
  })
}

const startOrJoin = Effect.fnUntraced(function* ({ dataDir, binary }: StartOptions) {
  const folder = yield* attempt(`${dataDir} can't be made`, () => ServerFolder.open(dataDir))
  const joined = yield* lockOrJoin(folder)
  if (Option.isSome(joined)) {
    const failure = failWhenGone(dataDir, joined.value)
    return { url: joined.value, started: false, failure } satisfies EmbeddedServer
  }
  // at once: others who find the lock taken must not join what a killed process left behind
  yield* markDown(folder)
  yield* checkVersion(binary)
  yield* endOrphan(folder)
  yield* Effect.addFinalizer(() => Effect.ignore(markDown(folder)))
  const { ended, url } = yield* launchOnLastPort(binary, folder)
  const failure = Effect.flatMap(ended, (reason) => new EmbeddedServerFailed({ dataDir, reason }))
  return { url, started: true, failure } satisfies EmbeddedServer
})

/**
 * The server of a data folder: started if nobody runs it, else joined. One that was started stops with the scope, and
 * within 5 seconds of this process's death. After a failure the folder is free again.
 */
export const start = Effect.fnUntraced(function* (options: StartOptions) {
  const scope = yield* Scope.fork(yield* Effect.scope)
  return yield* startOrJoin(options).pipe(
    Scope.provide(scope),
    Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause))),
    Effect.mapError((reason) => new EmbeddedServerFailed({ dataDir: options.dataDir, reason }))
  )
})
