/**
 * How does a test get an exchange of its own, slow or faulty as it likes?
 *
 * The example's exchange as a process of its own, on a free port, serving files of candles and of trades; ended with the scope.
 */
import { Effect } from "effect"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { FaultShares } from "../../examples/exchange/Faults.ts"
import type { LogEntry } from "../../examples/exchange/RequestLog.ts"
import * as ReadyProcess from "./ReadyProcess.ts"

/** What the exchange trades, and how well it is. */
export interface StandInSettings {
  /** Files of candles by pair: `BTC/BUSD`. */
  readonly csv: Readonly<Record<string, string>>
  /** Files of trades by pair. */
  readonly trades?: Readonly<Record<string, string>>
  /** Shares of the requests for klines or trades that go wrong: `{ "429": 0.2 }`. */
  readonly faults?: FaultShares
  /** How long each answer is held back. */
  readonly latencyMs?: number
  /** Where requests are logged; without it a file that is gone with the scope. */
  readonly logFile?: string
  readonly seed?: number
  /** A port of its own choice without one. */
  readonly port?: number
}

/** An exchange that listens. */
interface StandIn {
  readonly url: string
  readonly pid: number
  /** Ends it: another may take its port. */
  readonly kill: Effect.Effect<void>
  /** How many requests hang there whose senders have not hung up. */
  readonly hanging: Effect.Effect<number>
  /** What was asked so far, in order; a request is here before its answer is on the way. */
  readonly requests: () => ReadonlyArray<LogEntry>
}

const program = fileURLToPath(new URL("../../examples/exchange/exchange.ts", import.meta.url))

const argumentsOf = (
  { csv, faults = {}, latencyMs = 0, port = 0, seed = 1, trades = {} }: StandInSettings,
  logFile: string
) => [
  ...Object.entries(csv).flatMap(([pair, file]) => ["--csv", `${pair}=${file}`]),
  ...Object.entries(trades).flatMap(([pair, file]) => ["--trades", `${pair}=${file}`]),
  ...Object.entries(faults).flatMap(([name, share]) => ["--fault", `${name}=${share}`]),
  `--port=${port}`,
  `--latency-ms=${latencyMs}`,
  `--seed=${seed}`,
  `--log=${logFile}`
]

const logFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "stand-in-exchange-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

const readLog = (logFile: string): ReadonlyArray<LogEntry> =>
  readFileSync(logFile, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line): LogEntry => JSON.parse(line))

/** Starts an exchange; on the real clock only. */
export const start = Effect.fnUntraced(function* (settings: StandInSettings) {
  const logFile = settings.logFile ?? join(yield* logFolder, "requests.jsonl")
  const child = yield* ReadyProcess.start({ program, args: argumentsOf(settings, logFile) })
  const { url }: { readonly url: string } = JSON.parse(child.line)
  const hanging = Effect.promise(async () => {
    const answer = await fetch(`${url}/hanging`)
    const told: { readonly hanging: number } = JSON.parse(await answer.text())
    return told.hanging
  })
  return { url, pid: child.pid, kill: child.kill, hanging, requests: () => readLog(logFile) } satisfies StandIn
})
