/** How is a member started from the command line? */
import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { dirname } from "node:path"
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
    Flag.withDescription("Name of this member; the machine's name and a number without it"),
    Flag.optional
  ),
  labels: Flag.String("label").pipe(
    Flag.withMetavar("L"),
    Flag.withDescription("Takes the actors that carry this label, too; may be given several times"),
    Flag.atLeast(0),
    Flag.filter(
      (labels) => !labels.includes(""),
      () => "a label that is not empty"
    )
  ),
  actors: Flag.String("actors").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("Module that exports actors made by defineActor, and runs them; may be given several times"),
    Flag.atLeast(0)
  ),
  healthPort: Flag.Int("health-port").pipe(
    Flag.filter(
      (port) => port >= 0 && port <= 65_535,
      () => "a port: a whole number from 0, which is any that is free, to 65535"
    ),
    Flag.withMetavar("N"),
    Flag.withDescription("Answers probes at http://127.0.0.1:N/health; 0 takes a free port, told in the ready line"),
    Flag.optional
  ),
  healthHost: Flag.String("health-host").pipe(
    Flag.withMetavar("ADDRESS"),
    Flag.withDescription("Address at which probes are answered, such as 0.0.0.0; only with --health-port"),
    Flag.withDefault("127.0.0.1")
  )
}

interface Asked {
  readonly config: string
  readonly dataDir: string
  readonly nats: Option.Option<string>
  readonly hostId: Option.Option<string>
  readonly labels: ReadonlyArray<string>
  readonly actors: ReadonlyArray<string>
  readonly healthPort: Option.Option<number>
  readonly healthHost: string
}

const start = Effect.fnUntraced(function* ({ actors, config, dataDir, labels, ...asked }: Asked) {
  // what only a member needs takes half a second to load, which the other commands shall not wait for
  const { configurationHash, load } = yield* Effect.promise(() => import("../configuration.ts"))
  const configuration = yield* load(config)
  const { loadActors } = yield* Effect.promise(() => import("../loadActors.ts"))
  const types = yield* loadActors(actors)
  const { runHost } = yield* Effect.promise(() => import("../host.ts"))
  return yield* runHost({
    configuration,
    configurationHash: configurationHash(configuration),
    folder: dirname(config),
    dataDir,
    nats: Option.getOrUndefined(asked.nats),
    hostId: Option.getOrUndefined(asked.hostId),
    types,
    labels,
    health: Option.getOrUndefined(Option.map(asked.healthPort, (port) => ({ host: asked.healthHost, port })))
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
    {
      command: "seamless up --config prod.yaml --nats nats://10.0.0.5:4222 --host-id a --health-port 8080",
      description: "Joins a server, and answers probes"
    },
    {
      command: "seamless up --config prod.yaml --nats nats://10.0.0.5:4222 --actors ./strategies.ts",
      description: "Runs actors of your own as well"
    }
  ])
)
