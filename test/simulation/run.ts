/** Does the cluster keep its word, whatever happens? Runs simulations by seed, and says what it found. */
import { availableParallelism } from "node:os"
import process from "node:process"
import { parseArgs } from "node:util"
import type { Line } from "./History.ts"
import { mutants } from "./mutants.ts"
import { mutantSeeds } from "./mutantSeeds.ts"
import { regressions } from "./regressions.ts"
import { type Batch, inTurns, type Run, runBatch } from "./Seeds.ts"

const usage = `usage: npm run sim -- [--seeds N] [--from S] [--replay SEED]

Runs a cluster of three hosts in one process, for sixty virtual seconds a seed, with faults; checks what happened. Then
does the same with each mutant, the product with one mistake, until the checks have noticed it.

  --seeds N        how many seeds, 2000 unless told otherwise; each mutant is looked for in 2000 at least
  --from S         the first seed, 1 unless told otherwise
  --replay SEED    run one seed and print what happened, in virtual time
  --mutant NAME    the mutant to replay, or the only one to look for
  --no-mutants     the product alone
  --jobs N         how many processes at once, one for each core unless told otherwise
  --help           this text

Mutants: ${mutants.map(({ name }) => name).join(", ")}

Exit codes: 0 all is well, 1 something was found or a mutant was not, 2 a wrong argument.`

const print = (text: string): void => void process.stdout.write(`${text}\n`)
const complain = (text: string): void => void process.stderr.write(`${text}\n`)

/** Seeds of a process: a few seconds of work. */
const handful = 50
/** Seeds in which each mutant is looked for, whatever the product is run with. */
const mutantSeedsMin = 2000
/** Seeds that are run twice, to see that they give the same. */
const twiceMax = 10
/** Lines of a failing seed's trace that are printed: the whole is a replay away. */
const linesShown = 60

const wrong = (problem: string): never => {
  complain(`${problem}\n\n${usage}`)
  process.exit(2)
}

const options = {
  seeds: { type: "string", default: "2000" },
  from: { type: "string", default: "1" },
  replay: { type: "string" },
  mutant: { type: "string" },
  "no-mutants": { type: "boolean", default: false },
  jobs: { type: "string", default: String(availableParallelism()) },
  help: { type: "boolean", default: false }
} as const

const parse = () => {
  try {
    return parseArgs({ options }).values
  } catch (cause) {
    return wrong(cause instanceof Error ? cause.message : String(cause))
  }
}

const values = parse()

// one that is told to end takes its processes with it; one that nobody reads any more has nothing to say
for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143]
] as const) {
  process.once(signal, () => process.exit(code))
}
process.stdout.on("error", () => process.exit(0))

const whole = (name: string, text: string, least: number): number => {
  const value = text.trim() === "" ? Number.NaN : Number(text)
  return Number.isSafeInteger(value) && value >= least
    ? value
    : wrong(`--${name} ${text}: give a whole number from ${least} on`)
}

const lineText = ({ atMs, text, who }: Line): string =>
  `${(atMs / 1000).toFixed(3).padStart(8)} s  ${who.padEnd(8)} ${text}`

// renewals of sessions are most of what is stored, and none of what happens
const isTold = ({ text }: Line): boolean => !text.includes("$KV.seamless-sessions.")

const commandFor = (seed: number, mutant?: string): string =>
  `npm run sim -- --replay ${seed}${mutant === undefined ? "" : ` --mutant ${mutant}`}`

const traceOf = async (seed: number, mutant?: string): Promise<Run> => {
  let found: Run | undefined
  const batch: Batch = { from: seed, count: 1, isTraced: true, ...(mutant === undefined ? {} : { mutant }) }
  await runBatch(batch, (run) => {
    found = run
  })
  return found ?? wrong(`seed ${seed} gave nothing`)
}

const showProblems = ({ problems, seed }: Run): void => {
  complain(`\nseed ${seed}: ${problems.length} problems`)
  for (const problem of problems.slice(0, 10)) complain(`  ${problem}`)
}

const replay = async (seed: number, mutant?: string): Promise<boolean> => {
  const run = await traceOf(seed, mutant)
  for (const line of run.lines.filter(isTold)) print(lineText(line))
  print(`\nhash ${run.hash}, ${JSON.stringify(run.counts)}`)
  if (run.problems.length > 0) showProblems(run)
  else print("nothing is wrong")
  return run.problems.length === 0
}

/** What all runs together came to. */
const makeTotals = () => {
  const totals = { runs: 0, cpuMs: 0, operations: 0, answered: 0, faults: 0, stored: 0 }
  return {
    totals,
    add: ({ counts, cpuMs }: Run): void => {
      totals.runs += 1
      totals.cpuMs += cpuMs
      for (const name of ["operations", "answered", "faults", "stored"] as const) totals[name] += counts[name] ?? 0
    }
  }
}

const progress = (what: string, done: number, all: number, startedMs: number): void => {
  const seconds = (performance.now() - startedMs) / 1000
  const left = done === 0 ? "" : `, ${Math.ceil((seconds / done) * (all - done))} s left`
  if (process.stderr.isTTY) process.stderr.write(`\r${what}: ${done} of ${all}${left}   `)
}

const handfuls = ({ count, from }: { readonly from: number; readonly count: number }): ReadonlyArray<Batch> =>
  Array.from({ length: Math.ceil(count / handful) }, (_, index) => {
    const first = from + index * handful
    return { from: first, count: Math.min(handful, from + count - first) }
  })

const seedsOf = (range: { readonly from: number; readonly count: number }): ReadonlyArray<Batch> => [
  ...regressions.map(({ seed }) => ({ from: seed, count: 1 })),
  ...handfuls(range)
]

/** Runs the product; gives whether nothing was found. */
const runProduct = async (range: { readonly from: number; readonly count: number }, jobs: number): Promise<boolean> => {
  const startedMs = performance.now()
  const { add, totals } = makeTotals()
  const failed: Array<Run> = []
  const hashes = new Map<number, string>()
  const batches = seedsOf(range)
  const all = batches.reduce((sum, { count }) => sum + count, 0)
  await inTurns(
    batches.map((batch) => async () => {
      await runBatch(batch, (run) => {
        add(run)
        hashes.set(run.seed, run.hash)
        if (run.problems.length > 0) failed.push(run)
        progress("seeds", totals.runs, all, startedMs)
      })
    }),
    jobs
  )
  const again = Array.from(hashes.keys())
    .filter((_, index, { length }) => index % Math.ceil(length / twiceMax) === 0)
    .map((seed): Batch => ({ from: seed, count: 1 }))
  const different: Array<number> = []
  await inTurns(
    again.map(
      (batch) => () =>
        runBatch(batch, ({ hash, seed }) => {
          if (hash !== hashes.get(seed)) different.push(seed)
        })
    ),
    jobs
  )
  const perSecond = (1000 * totals.runs) / totals.cpuMs
  const elapsed = ((performance.now() - startedMs) / 1000).toFixed(0)
  print(
    `\n${totals.runs} seeds in ${elapsed} s, ${perSecond.toFixed(1)} a second of one core: ${totals.operations} operations, ` +
      `${totals.answered} answered, ${totals.faults} faults, ${totals.stored} messages stored; ${failed.length} with problems`
  )
  print(
    `${again.length} seeds run twice: ${different.length === 0 ? "the same hashes" : `other hashes: ${different.join(", ")}`}`
  )
  for (const run of failed.toSorted((a, b) => a.seed - b.seed).slice(0, 3)) {
    showProblems(run)
    const { lines } = await traceOf(run.seed)
    complain(`\n  the last of what happened:\n`)
    for (const line of lines.filter(isTold).slice(-linesShown)) complain(`  ${lineText(line)}`)
    complain(`\n  all of it: ${commandFor(run.seed)}`)
  }
  if (failed.length > 3)
    complain(
      `\nmore: ${failed
        .slice(3)
        .map(({ seed }) => seed)
        .join(", ")}`
    )
  return failed.length === 0 && different.length === 0
}

/** The seeds that look for a mutant: first the one that has found it before. */
const batchesFor = (mutant: string, range: { readonly from: number; readonly count: number }): ReadonlyArray<Batch> => {
  const known = mutantSeeds[mutant]
  return [...(known === undefined ? [] : [{ from: known, count: 1 }]), ...handfuls(range)]
}

/** Looks for each mutant until it is found; gives whether all were. */
const findMutants = async (
  names: ReadonlyArray<string>,
  range: { readonly from: number; readonly count: number },
  jobs: number
): Promise<boolean> => {
  const alive: Array<string> = []
  await inTurns(
    names.map((mutant) => async () => {
      let last: Run | undefined
      for (const batch of batchesFor(mutant, range)) {
        await runBatch({ ...batch, mutant, stops: true }, (run) => {
          last = run
        })
        if (last !== undefined && last.problems.length > 0) break
      }
      const [problem] = last?.problems ?? []
      if (last === undefined || problem === undefined) {
        alive.push(mutant)
        print(`mutant ${mutant}: NOT found in ${range.count} seeds`)
      } else print(`mutant ${mutant}: found by seed ${last.seed}: ${problem.slice(0, 160)}`)
    }),
    jobs
  )
  print(`${names.length - alive.length} of ${names.length} mutants found`)
  return alive.length === 0
}

const main = async (): Promise<boolean> => {
  const { mutant } = values
  if (mutant !== undefined && !mutants.some(({ name }) => name === mutant)) wrong(`there is no mutant ${mutant}`)
  if (values.replay !== undefined) return replay(whole("replay", values.replay, 0), mutant)
  const range = { from: whole("from", values.from, 0), count: whole("seeds", values.seeds, 1) }
  if (!Number.isSafeInteger(range.from + range.count))
    wrong(`--from ${values.from}: the last seed would be no whole number`)
  const jobs = whole("jobs", values.jobs, 1)
  if (mutant !== undefined) return findMutants([mutant], range, jobs)
  const isWell = await runProduct(range, jobs)
  if (values["no-mutants"]) return isWell
  const allFound = await findMutants(
    mutants.map(({ name }) => name),
    { ...range, count: Math.max(range.count, mutantSeedsMin) },
    jobs
  )
  return isWell && allFound
}

if (values.help) print(usage)
else process.exitCode = (await main()) ? 0 : 1
