/**
 * How do somebody's files get into a cluster?
 *
 * They are read through once, so that a fault in them is told before anything is stored. Then a host that has just
 * these files as a source serves on a data folder of their own, and is asked for all of their time.
 */
import { Effect, References, Result } from "effect"
import { existsSync } from "node:fs"
import { mkdir, rename, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { stringify } from "yaml"
import * as Lake from "../actors/sources/Lake.ts"
import { connectAdmin } from "../client/admin.ts"
import { connect } from "../client/connect.ts"
import type { SeamlessClient } from "../client/SeamlessClient.ts"
import type { MissingRange } from "../protocol/history/MissingRange.ts"
import { isRange, type Range } from "../protocol/history/Range.ts"
import { windowBarsDefault } from "../protocol/history/Window.ts"
import { addFindings, type Findings } from "./addFindings.ts"
import { configurationHash, InvalidConfiguration, load } from "./configuration.ts"
import { startHost } from "./host.ts"
import { type ImportPlan, withImport } from "./importPlan.ts"
import { asked } from "./withClient.ts"

/** So many bars fit into one answer of a server of the host's own. */
const barsPerRead = 20_000
/** So many bars are counted at once. */
const barsPerCount = 200_000
/** A part of the files is stored by then, or something is wrong. */
const readDeadlineMs = 600_000

/** So many windows are taken out of the coverage by one request. */
const windowsPerInvalidation = 10_000

/** How many bars the files make; fails as a page of them does. */
export const countBars = Effect.fnUntraced(function* ({ configuration, interval, range }: ImportPlan) {
  const { sources = [], symbol } = configuration.series[0]
  const settings = configuration.sources[sources[0] ?? ""]
  if (settings?.kind !== "lake" || symbol === undefined) return 0
  // each page of a CSV file is another reading of all of it
  const source = yield* Lake.make("files", { ...settings, barsPerRequest: barsPerCount }, process.cwd())
  let [start, end] = range
  let bars = 0
  while (isRange(start, end)) {
    const { eventTime } = yield* source.page({ symbol, interval, start, end })
    const times = new Set(Array.from(eventTime, (time) => Math.floor(Number(time) / interval.lengthMs)))
    bars += times.size
    const last = eventTime.at(-1)
    start = last === undefined ? end : Number(last) + 1
  }
  return bars
})

const configurationIn = (dataDir: string): string => join(dataDir, "imported.yaml")

/** The configuration of all that was imported before, if anything was. */
export const importedBefore = Effect.fnUntraced(function* (dataDir: string) {
  const file = configurationIn(dataDir)
  return existsSync(file) ? yield* load(file) : undefined
})

/** Writes the configuration of all that was imported beside the data; gives its path. */
export const writeConfiguration = Effect.fnUntraced(function* (plan: ImportPlan, dataDir: string) {
  const file = configurationIn(dataDir)
  const draft = join(dataDir, "imported.new.yaml")
  const before = yield* importedBefore(dataDir)
  const invalid = (problem: string) => new InvalidConfiguration({ file, mistakes: [{ path: "", problem }] })
  const merged = before === undefined ? Result.succeed(plan.configuration) : withImport(before, plan)
  const configuration = yield* Effect.mapError(Effect.fromResult(merged), invalid)
  const text = `# Written by seamless import; yours to change.\n${stringify(configuration)}`
  yield* Effect.tryPromise({
    try: async () => {
      await mkdir(dataDir, { recursive: true })
      await writeFile(draft, text)
    },
    catch: (cause) => invalid(String(cause))
  })
  // what is wrong with it leaves what was there before
  yield* load(draft)
  yield* Effect.tryPromise({ try: () => rename(draft, file), catch: (cause) => invalid(String(cause)) })
  return file
})

/** What an earlier import stored does not count any more: the file may be another by now. */
const forget = Effect.fnUntraced(function* (servers: string, { interval, node }: ImportPlan, [from, until]: Range) {
  const partMs = windowsPerInvalidation * windowBarsDefault * interval.lengthMs
  yield* Effect.acquireUseRelease(
    asked(() => connectAdmin({ servers, name: "seamless import", who: "import" })),
    (admin) =>
      Effect.gen(function* () {
        for (let start = from; isRange(start, until); start += partMs) {
          const end = Math.min(until, start + partMs)
          const reason = "imported again"
          yield* asked(() => admin.ask("invalidate", { nodeId: node, interval: interval.text, start, end, reason }))
        }
      }),
    (admin) => Effect.promise(() => admin.close())
  )
})

/** Reads the range part by part, which stores it; tells what is missing of it, and what is doubtful. */
const readParts = Effect.fnUntraced(function* (client: SeamlessClient, { interval, node, range }: ImportPlan) {
  const [from, until] = range
  const partMs = barsPerRead * interval.lengthMs
  const missing: Array<MissingRange> = []
  let findings: Findings = {}
  let stored = 0
  let coverageVersion = 0
  for (let start = from; isRange(start, until); start += partMs) {
    const part: Range = [start, Math.min(until, start + partMs)]
    const { df, meta } = yield* asked(() =>
      client.read(node, interval.text, ...part, {
        strategy: "auto_backfill",
        sla: { totalDeadlineMs: readDeadlineMs }
      })
    )
    stored += df.length
    coverageVersion = meta.coverageVersion
    missing.push(...meta.missingRanges)
    findings = addFindings(findings, meta.qualitySummary.findings)
  }
  return { stored, coverageVersion, missing, findings }
})

/** Stores what the plan says, by a host of its own on the data folder. */
export const storeFiles = Effect.fnUntraced(
  function* (plan: ImportPlan, config: string, dataDir: string) {
    const configuration = yield* load(config)
    const { failure, servers } = yield* startHost({
      configuration,
      configurationHash: configurationHash(configuration),
      folder: dataDir,
      dataDir,
      nats: undefined,
      hostId: undefined,
      types: [],
      labels: [],
      health: undefined
    })
    const stored = Effect.acquireUseRelease(
      asked(() => connect({ servers, name: "seamless import" })),
      (client) =>
        Effect.gen(function* () {
          const { coverageRanges } = yield* asked(() => client.coverage(plan.node, plan.interval.text))
          const [first, last] = [coverageRanges[0], coverageRanges.at(-1)]
          if (first !== undefined && last !== undefined) yield* forget(servers, plan, [first[0], last[1]])
          return yield* readParts(client, plan)
        }),
      (client) => Effect.promise(() => client.close())
    )
    return yield* Effect.raceFirst(stored, failure)
  },
  Effect.scoped,
  Effect.provideService(References.MinimumLogLevel, "Warn")
)
