/** How is a member started from the command line? */
import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import type { Foreseen } from "../describeFailure.ts"
import { ExitCode } from "../ExitCode.ts"
import { finish } from "../finish.ts"
import { addressFlags, dataDirDefault } from "../flags.ts"

const flags = {
  config: Flag.String("config").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("Configuration in YAML: the sources, and the series that are kept of them")
  ),
  dataDir: Flag.String("data-dir").pipe(
    Flag.withMetavar("DIR"),
    Flag.withDescription("Folder of the member's own NATS server; not used with --nats"),
    Flag.withDefault(dataDirDefault)
  ),
  nats: addressFlags.nats.pipe(
    Flag.withDescription("NATS server to join; without it the member starts one of its own")
  ),
  hostId: Flag.String("host-id").pipe(
    Flag.withMetavar("ID"),
    Flag.withDescription("Label of this member; the machine's name and a number without it"),
    Flag.optional
  )
}

interface Asked {
  readonly config: string
  readonly dataDir: string
  readonly nats: Option.Option<string>
  readonly hostId: Option.Option<string>
}

const start = Effect.fnUntraced(function* ({ config, dataDir, hostId, nats }: Asked) {
  // what only a member needs takes half a second to load, which the other commands shall not wait for
  const { configurationHash, load } = yield* Effect.promise(() => import("../configuration.ts"))
  const configuration = yield* load(config)
  const { runHost } = yield* Effect.promise(() => import("../host.ts"))
  return yield* runHost({
    configuration,
    configurationHash: configurationHash(configuration),
    dataDir,
    nats: Option.getOrUndefined(nats),
    hostId: Option.getOrUndefined(hostId)
  })
})

/** `seamless up`: serves until it is told to stop. */
export const up = Command.make("up", flags, (asked: Asked) =>
  start(asked).pipe(
    // to be told to stop is how a member's life is meant to end
    Effect.onInterrupt(() => Effect.sync(() => void (process.exitCode = ExitCode.complete))),
    Effect.mapError((error): Foreseen => error),
    finish("table")
  )
).pipe(
  Command.withDescription(
    "Starts a member. It prints one line of JSON on the standard output when it serves, and logs to the error output."
  ),
  Command.withShortDescription("Starts a member"),
  Command.withExamples([
    { command: "seamless up --config quickstart.yaml", description: "With a NATS server of its own, in ./.seamless" },
    { command: "seamless up --config prod.yaml --nats nats://10.0.0.5:4222 --host-id a", description: "Joins a server" }
  ])
)
