/**
 * Does a backfill come to the same end, with nothing fetched twice, when a host is killed in the middle of it?
 *
 * The moments are random; the seed is in the title, and SEAMLESS_KILL_SEED repeats it. SEAMLESS_KILL_RUNS sets how many
 * there are.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schedule, type Scope } from "effect"
import process from "node:process"
import { toPairs } from "../../protocol/history/RangePairs.ts"
import * as BarFile from "../support/BarFile.ts"
import * as Cluster from "../support/ClusterHarness.ts"
import { seededNumbers } from "../support/seededOrder.ts"
import * as StoredRoots from "../support/StoredRoots.ts"
import { untilTrue } from "../support/untilTrue.ts"

const runs = Number(process.env["SEAMLESS_KILL_RUNS"] ?? 3)
const seed = Number(process.env["SEAMLESS_KILL_SEED"] ?? Date.now() % 1_000_000)

const file = BarFile.barFiles.quiet
const record = BarFile.read(file)

const latencyMs = 60
const recoveredWithinMs = 20_000

/** When the kill comes: so long after that request has arrived, or after that version of the root stands. */
interface Moment {
  readonly after: "request" | "version"
  readonly count: number
  readonly delayMs: number
  /** Which of two hosts is killed. */
  readonly victim: 0 | 1
}

// an undisturbed fill is over after so many
const countMax = { request: 16, version: 10 }

const moments = (firstSeed: number): ReadonlyArray<Moment> => {
  const next = seededNumbers(firstSeed)
  return Array.from({ length: runs }, (_, run) => {
    const after = run % 2 === 0 ? "version" : "request"
    return {
      after,
      count: 1 + Math.floor(next() * countMax[after]),
      delayMs: Math.floor(next() * latencyMs * 1.5),
      victim: next() < 0.5 ? 0 : 1
    }
  })
}

const describeMoment = ({ after, count, delayMs }: Moment, run: number): string =>
  `${delayMs} ms after ${after} ${count} (seed ${seed}, run ${run + 1} of ${runs})`

/** Asks until the answer is complete. */
const readToTheEnd = (servers: string) =>
  Effect.gen(function* () {
    const client = yield* Cluster.startClient(servers)
    const ask = Cluster.readFile(client, file, record.range, {
      strategy: "auto_backfill",
      sla: { totalDeadlineMs: 5000 }
    })
    return yield* ask.pipe(
      Effect.filterOrFail(({ meta }) => meta.missingRanges.length === 0),
      Effect.retry(Schedule.spaced("100 millis"))
    )
  }).pipe(Effect.scoped)

type ClusterOfTest = Effect.Success<ReturnType<typeof Cluster.make>>

/** What the test knows at the kill. */
interface AtKill {
  readonly cluster: ClusterOfTest
  readonly servers: string
  readonly kill: Effect.Effect<void>
  /** What has to happen before anybody can answer again. */
  readonly recover: Effect.Effect<unknown, never, Scope.Scope>
}

const run = Effect.fnUntraced(function* ({ cluster, kill, recover, servers }: AtKill, moment: Moment) {
  const nc = yield* Cluster.startConnection(servers)
  const client = yield* Cluster.startClient(servers)
  let isOver = false
  yield* Cluster.readFile(client, file, record.range, {
    strategy: "auto_backfill",
    sla: { totalDeadlineMs: 60_000 }
  }).pipe(
    // its host may be the one that dies
    Effect.ignore,
    Effect.andThen(Effect.sync(() => (isOver = true))),
    Effect.forkScoped
  )
  const reached = {
    request: Effect.sync(() => cluster.klines().length),
    version: Effect.map(StoredRoots.standing(nc, file), (root) => root?.version ?? 0)
  }[moment.after]
  // a fill that needs fewer requests than that is over
  yield* untilTrue(
    `${moment.after} ${moment.count}`,
    Effect.map(reached, (count) => isOver || count >= moment.count)
  )
  // how far into a request's answer and its commit the kill comes is part of what is random
  yield* Effect.sleep(moment.delayMs)
  const covered = (yield* StoredRoots.standing(nc, file))?.covered
  yield* kill
  const killedAt = performance.now()
  const asked = cluster.klines().length
  yield* recover
  const { meta } = yield* Effect.timeoutOrElse(readToTheEnd(servers), {
    duration: recoveredWithinMs,
    orElse: () => Effect.die(new Error(`not complete ${recoveredWithinMs} ms after the kill`))
  })
  const recoveredMs = Math.round(performance.now() - killedAt)
  const pairs = covered === undefined ? [] : toPairs(covered)
  const again = cluster
    .klines()
    .slice(asked)
    .filter(({ endTime, startTime }) => pairs.some(([from, to]) => Number(startTime) < to && Number(endTime) >= from))

  assert.isAtMost(recoveredMs, recoveredWithinMs)
  assert.strictEqual(meta.fingerprint, record.fingerprint)
  assert.strictEqual(meta.qualitySummary.rows, 13_681)
  assert.deepStrictEqual(again, [], "asked again for what was covered at the kill")

  const { root, roots } = yield* StoredRoots.settled(nc, file)
  assert.deepStrictEqual(StoredRoots.gaps(roots, root), [])
  const total = cluster.klines().length
  const before = pairs.reduce((sum, [from, to]) => sum + (to - from) / 60_000, 0)
  process.stdout.write(
    `killed after request ${asked}, ${before} bars covered; complete ${recoveredMs} ms later, ` +
      `${total} requests, ${root?.version} versions\n`
  )
})

const settings = { files: [file], exchange: { latencyMs } } as const
const bound = 90_000

describe("kill -9 in the middle of a backfill", () => {
  for (const [index, moment] of moments(seed).entries()) {
    it.live(
      `of host ${moment.victim} of two, ${describeMoment(moment, index)}`,
      () =>
        Effect.gen(function* () {
          const { hosts, ...cluster } = yield* Cluster.start(settings, ["a", "b"])
          const victim = hosts[moment.victim]!
          yield* run({ cluster, servers: victim.servers, kill: victim.kill, recover: Effect.void }, moment)
        }),
      bound
    )
  }

  for (const [index, moment] of moments(seed + 1).entries()) {
    it.live(
      `of the only host, with its server, ${describeMoment(moment, index)}`,
      () =>
        Effect.gen(function* () {
          const cluster = yield* Cluster.make(settings, { server: "host" })
          const host = yield* cluster.startHost("only")
          yield* run({ cluster, servers: host.servers, kill: host.kill, recover: cluster.startHost("only") }, moment)
        }),
      bound
    )
  }
})
