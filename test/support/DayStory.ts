/**
 * How does one day of minute bars get filled?
 *
 * The pure core of a cluster without its shell: one series, one window, one source, and hosts that work on it. Commands
 * are sentences; times are of the day.
 */
import { Result } from "effect"
import * as jobStep from "../../actors/backfill/jobStep.ts"
import * as Coverage from "../../actors/coverage/Coverage.ts"
import { type KnownJob, planJob } from "../../actors/coverage/planJobs.ts"
import { planRead } from "../../actors/provider/planRead.ts"
import { type ChunkRef, entryOf } from "../../protocol/history/CoveragePage.ts"
import { initial } from "../../protocol/history/CoverageRoot.ts"
import type { Range } from "../../protocol/history/Range.ts"
import { bars, includes, isEmpty } from "../../protocol/history/RangeMeasure.ts"
import { toPairs } from "../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import * as SlaPolicy from "../../protocol/history/SlaPolicy.ts"
import * as Strategy from "../../protocol/history/Strategy.ts"
import { makeGrid } from "../../protocol/history/Window.ts"
import * as Answer from "../../actors/backfill/Answer.ts"
import * as Question from "../../actors/backfill/Question.ts"
import { entry, minute, requestOf } from "./requests.ts"
import type { Tell } from "./transcript.ts"

const day = 1440 * minute
const tomorrow = 2 * day
const limits = { intervalMs: minute, maxEmptyBars: 60, barsPerRequest: 1000, finalUntil: day }
const grid = makeGrid(entry.interval)

const clock = (time: number): string =>
  `${String(Math.floor(time / (60 * minute))).padStart(2, "0")}:${String((time / minute) % 60).padStart(2, "0")}`
const written = (set: RangeSet.RangeSet): string =>
  isEmpty(set)
    ? "nothing"
    : toPairs(set)
        .map(([start, end]) => `[${clock(start)},${clock(end)})`)
        .join(" ")

const timeOf = (text: string): number => {
  const [hours = 0, minutes = 0] = text.split(":").map(Number)
  return (hours * 60 + minutes) * minute
}
const rangesIn = (text: string): RangeSet.RangeSet =>
  RangeSet.make(
    Array.from(text.matchAll(/\[([\d:]+),([\d:]+)\)/g), ([, a = "", b = ""]): Range => [timeOf(a), timeOf(b)])
  )

const series = entry.series
const countOf = (set: RangeSet.RangeSet): number => bars(set, minute)

/** What a host has in its hands. */
interface Worker {
  readonly held: KnownJob
  /** The chunk that stood when it began. */
  readonly base: ChunkRef | undefined
  readonly proven: RangeSet.RangeSet
  readonly requests: number
}

/** The world of one story. */
interface World {
  traded: RangeSet.RangeSet
  coverage: Coverage.State
  record: KnownJob | undefined
  leaseEnded: boolean
  readonly workers: Map<string, Worker>
}

const standing = ({ coverage }: World): ChunkRef | undefined => entryOf(coverage.pages.get(0), 0).chunks[0]

const commit = (world: World, proven: RangeSet.RangeSet, base: ChunkRef | undefined): ReadonlyArray<string> => {
  const ranges = RangeSet.union(base?.ranges ?? RangeSet.empty, proven)
  const rows = countOf(RangeSet.intersect(ranges, world.traded))
  const content = `${rows} rows of ${written(ranges)}`
  const last = toPairs(RangeSet.intersect(ranges, world.traded)).at(-1)
  const lastEventTime = last === undefined ? null : last[1] - minute
  const chunk: ChunkRef = { source: "binance", id: content, ranges, contentHash: content, rows, lastEventTime }
  const windows = [{ windowStart: 0, generation: 0, base: base?.id ?? null, chunk }]
  const message = {
    series,
    windows,
    answered: proven,
    exceptions: [],
    jobs: ["0.1"],
    source: "binance",
    cause: "story"
  }
  return Result.match(Coverage.commit(world.coverage, message, { grid, nowMs: tomorrow }), {
    onFailure: ({ problem }) => [`refused   ${problem}`],
    onSuccess: ({ changed, state }) => {
      world.coverage = state
      const { diff, version } = state.root
      return [
        changed ? `root      version ${version}, added ${written(diff.added)}` : `root      still version ${version}`
      ]
    }
  })
}

const read = (world: World, name: string, text: string): ReadonlyArray<string> => {
  const strategy = Strategy.parse(name) ?? "seamless"
  const [range = [0, day] as const] = toPairs(rangesIn(text))
  const request = requestOf({ strategy, range, sla: SlaPolicy.resolve(strategy) })
  const { root, covered } = world.coverage
  const plan = planRead(request, { root, covered }, tomorrow)
  const storage = `plan      storage ${countOf(plan.covered)} bars`
  if (plan.gapMode === "none") return [`${storage}; missing none`]
  const told = `${storage}; gap ${countOf(plan.gap)} bars; ${plan.gapMode}`
  if (plan.gapMode === "fail") return [told]
  const demand = {
    series,
    sources: ["binance"],
    cause: "story",
    traceParent: "",
    nonce: "n",
    nowMs: tomorrow,
    generationOf: () => 0
  }
  const opened = planJob({ ...demand, jobClass: "interactive" }, { windowStart: 0, ranges: plan.gap }, world.record)
  if (opened.action === "write") world.record = { job: opened.job, revision: opened.expect + 1 }
  return [told, `job       run ${opened.job.run}, ${opened.job.state}, ${written(opened.job.ranges)}, ${opened.action}`]
}

const claim = (world: World, holder: string): ReadonlyArray<string> => {
  const { record } = world
  const job = record && jobStep.claim(record.job, { holder, leaseMs: 5000, nonce: holder }, world.leaseEnded)
  if (job === undefined) return [`job       not to be had: ${record?.job.state ?? "there is none"}`]
  world.record = { job, revision: record!.revision + 1 }
  world.leaseEnded = false
  world.workers.set(holder, { held: world.record, base: standing(world), proven: RangeSet.empty, requests: 0 })
  return [`job       run ${job.run}, ${job.state}, ${holder}, fence ${job.fence}`]
}

const fetch = (world: World, holder: string, worker: Worker): ReadonlyArray<string> => {
  const { covered } = world.coverage
  const lines: Array<string> = []
  let { proven, requests } = worker
  for (const stretch of toPairs(RangeSet.subtract(jobStep.remainingRanges(worker.held.job), covered))) {
    let answer = Answer.begin(
      Question.about(stretch, { ...limits, covered, shut: RangeSet.empty, closedIn: Question.neverClosed })
    )
    for (let next = Answer.nextRequest(answer); next !== undefined; next = Answer.nextRequest(answer)) {
      const { end, start } = next
      const asked = Array.from({ length: (end - start) / minute }, (_, bar) => start + bar * minute)
      const page = asked.filter((time) => includes(world.traded, time)).slice(0, limits.barsPerRequest)
      lines.push(`exchange  [${clock(start)},${clock(end)}) gave ${page.length} bars`)
      answer = Answer.take(answer, next, page)
      requests += 1
    }
    proven = RangeSet.union(proven, Answer.proven(answer))
  }
  world.workers.set(holder, { ...worker, proven, requests })
  return [...lines, `proven    ${written(proven)}`]
}

const complete = (world: World, { held, proven, requests }: Worker): ReadonlyArray<string> => {
  if (world.record?.revision !== held.revision) return ["refused   another has the job now"]
  const progress = { completed: proven, coverageVersion: world.coverage.root.version, requests, passedOver: [] }
  const job = jobStep.complete(held.job, progress, "n")
  world.record = { job, revision: held.revision + 1 }
  return [`job       run ${job.run}, ${job.state}, ${written(job.completedRanges)}, requests ${job.requests}`]
}

const work = (world: World, host: string, verb: string): ReadonlyArray<string> => {
  if (verb === "claims") return claim(world, host)
  const worker = world.workers.get(host)
  if (worker === undefined) return [`${host} has no job`]
  if (verb === "fetches") return fetch(world, host, worker)
  if (verb === "commits") return commit(world, worker.proven, worker.base)
  return verb === "completes" ? complete(world, worker) : [`no such verb: ${verb}`]
}

/** A day of which nothing is stored, and whose every minute has a bar. */
export const begin = (): Tell => {
  const root = initial(series, { windowBars: 1440, schemaVersion: 1 })
  const world: World = {
    traded: RangeSet.of(0, day),
    coverage: { root, covered: RangeSet.empty, pages: new Map() },
    record: undefined,
    leaseEnded: false,
    workers: new Map()
  }
  return (command) => {
    const [first = "", second = ""] = command.split(" ")
    if (first === "traded") {
      world.traded = rangesIn(command)
      return [`exchange  has ${countOf(world.traded)} bars`]
    }
    if (first === "stored") return commit(world, rangesIn(command), standing(world))
    if (first === "read") return read(world, second, command)
    if (command.startsWith("nothing is heard of ")) {
      world.leaseEnded = true
      return ["lease     over"]
    }
    return work(world, first, second)
  }
}
