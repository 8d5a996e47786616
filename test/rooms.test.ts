/**
 * Does every file keep to its room, and every library to its place?
 *
 * The table is data in support/rooms; here each claim about it is made on the files as they are, and then each check is
 * shown a sample that breaks it.
 */
import { readFileSync } from "node:fs"
import { assert, describe, it } from "vitest"
import * as Doors from "./support/rooms/Doors.ts"
import * as check from "./support/rooms/checkDoors.ts"
import { checkEffectUse, checkPureModules } from "./support/rooms/checkPurity.ts"
import { findCycles, importGraph } from "./support/rooms/findCycles.ts"
import { libraries } from "./support/rooms/Libraries.ts"
import { show } from "./support/source/Finding.ts"
import { existingFolders, parseSource, readSources, repositoryRoot } from "./support/source/SourceFile.ts"

const files = readSources()

const holds = (claim: check.Check): void => assert.deepStrictEqual(claim(files).map(show), [])

const topFolders = "actors runtime protocol cluster client bin test deploy docs bench examples scripts".split(" ")

describe("doors table", () => {
  const names = Doors.rooms.map(({ name }) => name)

  it("rooms names each room once", () => {
    assert.deepStrictEqual([...new Set(names)], names)
  })

  it("rooms opens only rooms of the table", () => {
    assert.deepStrictEqual(
      Doors.rooms.flatMap(({ opens }) => opens.filter((name) => !names.includes(name))),
      []
    )
  })

  it("rooms has no cycle", () => {
    assert.deepStrictEqual(findCycles(new Map(Doors.rooms.map(({ name, opens }) => [name, opens]))), [])
  })
})

describe("doors", () => {
  it("every file is in a room", () => holds(check.checkPlaces))

  it.each(Doors.rooms.map(({ name }) => name))("%s opens only what its row allows", (name) =>
    holds(check.checkRoom(name))
  )

  it("an actor never opens another actor", () => holds(check.checkActors))
  it("no code inside imports a barrel", () => holds(check.checkBarrels))
  it("the only barrels are the entry points, and they only re-export", () => holds(check.checkEntryPoints))
  it("a relative import ends in .ts", () => holds(check.checkExtensions))
  it("an import inside the product is not computed", () => holds(check.checkComputed))

  it("no file imports itself, by however many steps", () => {
    assert.deepStrictEqual(
      findCycles(importGraph(files)).map((cycle) => cycle.join(" → ")),
      []
    )
  })
})

describe("libraries", () => {
  it.each(libraries)("$name is opened only in its room", (library) => holds(check.checkLibrary(library)))
  it("a library without a room is opened by tools and tests only", () => holds(check.checkUnlisted))
  it("protocol uses only effect's pure modules", () => holds(checkPureModules))
  it("protocol gives an Effect only to a Schema function", () => holds(checkEffectUse))
})

describe("README.md", () => {
  it.each(existingFolders(topFolders))("%s says in three lines what it is, its doors, and where to start", (folder) => {
    const lines = readFileSync(`${repositoryRoot}${folder}/README.md`, "utf8").split("\n")
    assert.lengthOf(
      lines.filter((line) => line.trim() !== ""),
      3,
      `${folder}/README.md`
    )
  })
})

type Sample = readonly [path: string, text: string]

const titled = ([path, text]: Sample): readonly [path: string, title: string, text: string] => [
  path,
  text.replaceAll(/\s+/g, " ").slice(0, 80),
  text
]

const library = (name: string): check.Check => check.checkLibrary(libraries.find((each) => each.name === name)!)

/** For each check: samples it must refuse, one finding each, and samples it must let pass. */
const samples: ReadonlyArray<{
  readonly name: string
  readonly claim: check.Check
  readonly refuses: ReadonlyArray<Sample>
  readonly passes: ReadonlyArray<Sample>
}> = [
  {
    name: "checkPlaces",
    claim: check.checkPlaces,
    refuses: [
      ["actors/Stray.ts", ""],
      ["protocol/vectors/make.ts", ""]
    ],
    passes: [
      ["actors/coverage/Coverage.ts", ""],
      ["protocol/Settings.ts", ""]
    ]
  },
  {
    name: "checkRoom(protocol)",
    claim: check.checkRoom("protocol"),
    refuses: [
      ["protocol/Settings.ts", `import { a } from "./wire/Subject.ts"`],
      ["protocol/Telemetry.ts", `export * from "../runtime/Actor.ts"`]
    ],
    passes: [
      ["protocol/Settings.ts", `import { a } from "./Telemetry.ts"`],
      ["protocol/index.ts", `export * from "./history/RangeSet.ts"`]
    ]
  },
  {
    name: "checkRoom(protocol/wire)",
    claim: check.checkRoom("protocol/wire"),
    refuses: [["protocol/wire/Codec.ts", `import type { A } from "../Settings.ts"`]],
    passes: [["protocol/wire/Codec.ts", `import type { A } from "./Envelope.ts"`]]
  },
  {
    name: "checkRoom(protocol/history)",
    claim: check.checkRoom("protocol/history"),
    refuses: [["protocol/history/Window.ts", `type A = import("../wire/Subject.ts").A`]],
    passes: [["protocol/history/Window.ts", `type A = import("../frame/Frame.ts").A`]]
  },
  {
    name: "checkRoom(runtime)",
    claim: check.checkRoom("runtime"),
    refuses: [
      ["runtime/Actor.ts", `import { a } from "../cluster/Router.ts"`],
      ["runtime/nats/KeyValue.ts", `import type { A } from "../../protocol/messages/Coverage.ts"`]
    ],
    passes: [["runtime/nats/KeyValue.ts", `import { a } from "../../protocol/wire/Stream.ts"\nimport "../Mesh.ts"`]]
  },
  {
    name: "checkRoom(cluster)",
    claim: check.checkRoom("cluster"),
    refuses: [
      ["cluster/Router.ts", `const a = () => import("../actors/coverage/Coverage.ts")`],
      ["cluster/Router.ts", `import { a } from "../../elsewhere/a.ts"`]
    ],
    passes: [["cluster/Router.ts", `import { a } from "../runtime/ActorRef.ts"`]]
  },
  {
    name: "checkRoom(actors/*)",
    claim: check.checkRoom("actors/*"),
    refuses: [["actors/coverage/Coverage.ts", `export { a } from "../../cluster/Router.ts"`]],
    passes: [["actors/coverage/Coverage.ts", `import { a } from "../sources/DataSource.ts"`]]
  },
  {
    name: "checkRoom(actors/conformance)",
    claim: check.checkRoom("actors/conformance"),
    refuses: [["actors/conformance/seal.ts", `import { a } from "../../runtime/Actor.ts"`]],
    passes: [["actors/conformance/seal.ts", `import { a } from "../../protocol/frame/Frame.ts"`]]
  },
  {
    name: "checkRoom(actors/sources)",
    claim: check.checkRoom("actors/sources"),
    refuses: [["actors/sources/Cache.ts", `import type { A } from "../coverage/Coverage.ts"`]],
    passes: [["actors/sources/Cache.ts", `import type { A } from "../../protocol/messages/Coverage.ts"`]]
  },
  {
    name: "checkRoom(client)",
    claim: check.checkRoom("client"),
    refuses: [["client/read.ts", `import type { A } from "../actors/provider/read.ts"`]],
    passes: [["client/read.ts", `import { a } from "../runtime/nats/Connection.ts"`]]
  },
  {
    name: "checkRoom(bin)",
    claim: check.checkRoom("bin"),
    refuses: [["bin/host.ts", `import { a } from "../test/support/NatsServer.ts"`]],
    passes: [["bin/host.ts", `import { a } from "../actors/provider/read.ts"`]]
  },
  {
    name: "checkRoom(scripts)",
    claim: check.checkRoom("scripts"),
    refuses: [["scripts/build.ts", `import { a } from "../protocol/Settings.ts"`]],
    passes: [["scripts/build.ts", `import { a } from "./natsServer.ts"`]]
  },
  {
    name: "checkRoom(examples)",
    claim: check.checkRoom("examples"),
    refuses: [
      ["examples/demo/demo.ts", `import { a } from "../../client/connect.ts"`],
      ["examples/demo/demo.ts", `import { a } from "../exchange/Market.ts"`]
    ],
    passes: [["examples/demo/demo.ts", `import { a } from "./prices.ts"\nimport { b } from "seamless"`]]
  },
  {
    name: "checkActors",
    claim: check.checkActors,
    refuses: [
      ["actors/coverage/Coverage.ts", `import { a } from "../backfill/jobStep.ts"`],
      ["actors/coverage/Coverage.ts", `import type { A } from "../backfill/jobStep.ts"`],
      ["actors/coverage/Coverage.ts", `export * from "../backfill/jobStep.ts"`],
      ["actors/coverage/Coverage.ts", `const a = await import("../backfill/jobStep.ts")`]
    ],
    passes: [["actors/coverage/Coverage.ts", `import { a } from "./CoverageCache.ts"`]]
  },
  {
    name: "checkBarrels",
    claim: check.checkBarrels,
    refuses: [
      ["client/read.ts", `import { a } from "../protocol/index.ts"`],
      ["runtime/Actor.ts", `import { a } from "./index.ts"`],
      ["cluster/Router.ts", `import { a } from "seamless/runtime"`],
      ["test/runtime/Actor.test.ts", `import { a } from "../../runtime/index.ts"`]
    ],
    passes: [["test/client/client.test.ts", `import { a } from "seamless"`]]
  },
  {
    name: "checkEntryPoints",
    claim: check.checkEntryPoints,
    refuses: [
      ["actors/coverage/index.ts", `export * from "./Coverage.ts"`],
      ["client/index.ts", `export const a = 1`]
    ],
    passes: [["client/index.ts", `export { connect } from "./connect.ts"`]]
  },
  {
    name: "checkExtensions",
    claim: check.checkExtensions,
    refuses: [
      ["runtime/Actor.ts", `import { a } from "./Mailbox"`],
      ["runtime/Actor.ts", `import { a } from "./Mailbox.js"`],
      ["bin/host.ts", `import a from "../package.json" with { type: "json" }`]
    ],
    passes: [["runtime/Actor.ts", `import { a } from "./Mailbox.ts"`]]
  },
  {
    name: "checkComputed",
    claim: check.checkComputed,
    refuses: [["cluster/Router.ts", "const a = (name: string) => import(`../actors/${name}.ts`)"]],
    passes: [["bin/host.ts", "const a = (name: string) => import(name)"]]
  },
  {
    name: "checkLibrary(@nats-io/*)",
    claim: library("@nats-io/*"),
    refuses: [
      ["client/connect.ts", `import { connect } from "@nats-io/transport-node"`],
      ["runtime/Mesh.ts", `import type { NatsConnection } from "@nats-io/nats-core"`]
    ],
    passes: [["runtime/nats/Connection.ts", `import { connect } from "@nats-io/transport-node"`]]
  },
  {
    name: "checkLibrary(ccxt)",
    claim: library("ccxt"),
    refuses: [["actors/sources/LiveFeed.ts", `import ccxt from "ccxt"`]],
    passes: [["actors/sources/Exchange.ts", `const load = () => import("ccxt")`]]
  },
  {
    name: "checkLibrary(DuckDB)",
    claim: library("DuckDB"),
    refuses: [["actors/sources/ChunkStore.ts", `import { a } from "@duckdb/node-api"`]],
    passes: [["actors/sources/Parquet.ts", `import { a } from "@duckdb/node-api"`]]
  },
  {
    name: "checkLibrary(apache-arrow)",
    claim: library("apache-arrow"),
    refuses: [
      ["protocol/frame/Frame.ts", `import { a } from "apache-arrow"`],
      ["client/read.ts", `import { a } from "apache-arrow"`]
    ],
    passes: [
      ["protocol/frame/FrameCodec.ts", `import { a } from "apache-arrow"`],
      ["client/HistoryFrame.ts", `import { a } from "apache-arrow"`]
    ]
  },
  {
    name: "checkLibrary(OpenTelemetry)",
    claim: library("OpenTelemetry"),
    refuses: [
      ["bin/host.ts", `import { a } from "@effect/opentelemetry"`],
      ["runtime/Actor.ts", `import { a } from "@opentelemetry/api"`]
    ],
    passes: [["runtime/telemetry/Otlp.ts", `import { a } from "@opentelemetry/api"`]]
  },
  {
    name: "checkLibrary(msgpackr)",
    claim: library("msgpackr"),
    refuses: [["protocol/wire/Envelope.ts", `import { a } from "msgpackr"`]],
    passes: [["protocol/wire/Codec.ts", `import { a } from "msgpackr"`]]
  },
  {
    name: "checkLibrary(yaml)",
    claim: library("yaml"),
    refuses: [["protocol/Settings.ts", `import { a } from "yaml"`]],
    passes: [["bin/commands/sla.ts", `import { a } from "yaml"`]]
  },
  {
    name: "checkLibrary(node:crypto)",
    claim: library("node:crypto"),
    refuses: [["protocol/frame/Frame.ts", `import { a } from "node:crypto"`]],
    passes: [["protocol/frame/contentHash.ts", `import { a } from "node:crypto"`]]
  },
  {
    name: "checkLibrary(node:*)",
    claim: library("node:*"),
    refuses: [
      ["cluster/Drain.ts", `import { a } from "node:process"`],
      ["protocol/Settings.ts", `import { a } from "fs"`],
      ["client/connect.ts", `import { a } from "node:events"`]
    ],
    passes: [["actors/sources/Parquet.ts", `import { a } from "node:fs/promises"`]]
  },
  {
    name: "checkLibrary(@effect/platform-node)",
    claim: library("@effect/platform-node"),
    refuses: [["actors/coverage/Coverage.ts", `import { a } from "@effect/platform-node/NodeRuntime"`]],
    passes: [["bin/host.ts", `import { a } from "@effect/platform-node/NodeRuntime"`]]
  },
  {
    name: "checkLibrary(effect/testing)",
    claim: library("effect/testing"),
    refuses: [["runtime/Actor.ts", `import { TestClock } from "effect/testing"`]],
    passes: [["test/runtime/Actor.test.ts", `import { TestClock } from "effect/testing"`]]
  },
  {
    name: "checkLibrary(effect)",
    claim: library("effect"),
    refuses: [["elsewhere/a.ts", `import { Schema } from "effect"`]],
    passes: [["cluster/Router.ts", `import { Effect } from "effect"`]]
  },
  {
    name: "checkUnlisted",
    claim: check.checkUnlisted,
    refuses: [
      ["runtime/Actor.ts", `import { a } from "lodash"`],
      ["bin/host.ts", `const a = require("fast-check")`]
    ],
    passes: [["bench/rangeSet.ts", `import { a } from "fast-check"`]]
  },
  {
    name: "checkPureModules",
    claim: checkPureModules,
    refuses: [
      ["protocol/Settings.ts", `import { Layer, Schema } from "effect"`],
      ["protocol/Settings.ts", `import * as Clock from "effect/Clock"`],
      ["protocol/Settings.ts", `import * as Everything from "effect"`],
      ["protocol/Settings.ts", `import type { Fiber } from "effect"`]
    ],
    passes: [["protocol/Settings.ts", `import { Context, Option, Schema, type Effect } from "effect"`]]
  },
  {
    name: "checkEffectUse",
    claim: checkEffectUse,
    refuses: [
      ["protocol/Settings.ts", `import { Effect } from "effect"\nexport const a = Effect.succeed(1)`],
      ["protocol/Settings.ts", `import * as E from "effect/Effect"\nconst a = E.runSync(b)`]
    ],
    passes: [
      [
        "protocol/Settings.ts",
        `import { Effect, Schema } from "effect"
         const a = Schema.Int.pipe(Schema.withConstructorDefault(Effect.succeed(1)))
         const b: Effect.Effect<void> = c`
      ],
      [
        "protocol/messages/Coverage.ts",
        `import { Context, type Effect } from "effect"
         class Coverage extends Context.Service<Coverage, { readonly of: () => Effect.Effect<void> }>()("Coverage") {}`
      ]
    ]
  }
]

describe("the checker can fail", () => {
  describe.each(samples)("$name", ({ claim, refuses, passes }) => {
    it.each(refuses.map(titled))("refuses in %s: %s", (path, _, text) => {
      const findings = claim([parseSource(path, text)])
      assert.lengthOf(findings, 1)
      assert.include(show(findings[0]!), path)
    })

    it.each(passes.map(titled))("passes in %s: %s", (path, _, text) => {
      assert.deepStrictEqual(claim([parseSource(path, text)]).map(show), [])
    })
  })

  it("names the file, the line, the import and what the room may open", () => {
    const sample = parseSource("client/read.ts", `\nimport type { A } from "../actors/provider/read.ts"`)
    assert.deepStrictEqual(check.checkRoom("client")([sample]).map(show), [
      `client/read.ts:2 imports "../actors/provider/read.ts" (type): client may open runtime, protocol, protocol/wire, ` +
        "protocol/frame, protocol/history, protocol/messages"
    ])
  })

  it("every room with a row of its own has a sample, save those that may open everything", () => {
    const shown = samples.map(({ name }) => name)
    const left = Doors.rooms.map(({ name }) => name).filter((name) => !shown.includes(`checkRoom(${name})`))
    assert.deepStrictEqual(left, ["protocol/frame", "protocol/messages", "test", "bench"])
  })

  it("findCycles finds a cycle through types and through the package's name", () => {
    const cycle = [
      parseSource("runtime/a.ts", `import type { B } from "./b.ts"`),
      parseSource("runtime/b.ts", `export * from "./c.ts"`),
      parseSource("runtime/c.ts", `type A = import("./a.ts").A`),
      parseSource("test/index.ts", `export * from "./suites/meshSuite.ts"`),
      parseSource("test/suites/meshSuite.ts", `import { a } from "seamless/testing"`)
    ]
    assert.deepStrictEqual(findCycles(importGraph(cycle)), [
      ["runtime/a.ts", "runtime/b.ts", "runtime/c.ts", "runtime/a.ts"],
      ["test/index.ts", "test/suites/meshSuite.ts", "test/index.ts"]
    ])
    assert.deepStrictEqual(findCycles(importGraph(cycle.slice(0, 2))), [])
  })
})
