/**
 * How long does a piece of work take, in a way that can be compared?
 *
 * All candidates of a comparison run in the same process, in turns, so that a busy neighbour or a warm cache meets them
 * alike. The figure is the median of the samples: one disturbed sample does not move it.
 */

/** One candidate: does the work once. It is given the number of the iteration, to vary what it works on. */
export type Work = (iteration: number) => unknown

/** A sample this long is far above the clock's resolution. */
const sampleMs = 10

const samplesMax = 15

/** Slow candidates get this many samples even when their time is up. */
const samplesMin = 3

/** No candidate is measured for much longer than this. */
const totalMs = 1_500

/** Results end here, so that no engine can prove the work useless and leave it out. */
const sink: [unknown] = [undefined]

const timeMs = (work: Work, iterations: number): number => {
  const before = performance.now()
  for (let iteration = 0; iteration < iterations; iteration++) sink[0] = work(iteration)
  return performance.now() - before
}

/** Doubles the iterations until a sample is long enough, which also lets the engine optimise the work first. */
const enoughIterations = (work: Work): number => {
  let iterations = 1
  while (timeMs(work, iterations) < sampleMs) iterations *= 2
  return iterations
}

const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/**
 * The median time of one iteration of each candidate, in microseconds. With `once` each runs a single time, which shows
 * that it works and says nothing of its speed.
 */
export const medianUs = (
  candidates: ReadonlyArray<Work>,
  { once }: { readonly once: boolean }
): ReadonlyArray<number> => {
  const runs = candidates.map((work) => ({
    work,
    iterations: once ? 1 : enoughIterations(work),
    samplesUs: new Array<number>(),
    spentMs: 0
  }))
  for (let sample = 0; sample < (once ? 1 : samplesMax); sample++) {
    for (const run of runs) {
      if (sample >= samplesMin && run.spentMs > totalMs) continue
      const tookMs = timeMs(run.work, run.iterations)
      run.spentMs += tookMs
      run.samplesUs.push((tookMs * 1_000) / run.iterations)
    }
  }
  return runs.map(({ samplesUs }) => median(samplesUs))
}

/** A time with three significant digits and a unit that suits it. */
export const formatUs = (us: number): string => {
  if (us < 1) return `${(us * 1_000).toPrecision(3)} ns`
  if (us < 1_000) return `${us.toPrecision(3)} µs`
  return us < 1_000_000 ? `${(us / 1_000).toPrecision(3)} ms` : `${(us / 1_000_000).toPrecision(3)} s`
}

/** How many times as long `otherUs` is: `12.3 ×`. */
export const formatRatio = (otherUs: number, ourUs: number): string => {
  const ratio = otherUs / ourUs
  return `${ratio < 100 ? ratio.toPrecision(2) : Math.round(ratio).toLocaleString("en")} ×`
}

/** Rows under their headings, as the Markdown that the documents hold. */
export const toTable = (headings: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  [headings, headings.map((_, column) => (column === 0 ? "---" : "--:")), ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n")
