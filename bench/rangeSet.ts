/**
 * How fast is the range algebra beside other range libraries?
 *
 * Each operation runs on the same random sets in three libraries, in this process and in turns; their results are
 * checked to be equal before anything is timed.
 */
import assert from "node:assert/strict"
import { parseArgs } from "node:util"
import DRange from "drange"
import * as multi from "multi-integer-range"
import type { Range } from "../protocol/history/Range.ts"
import { toPairs } from "../protocol/history/RangePairs.ts"
import * as RangeSet from "../protocol/history/RangeSet.ts"
import { formatRatio, formatUs, medianUs, toTable, type Work } from "./support/measure.ts"

const usage = `usage: node bench/rangeSet.ts [--once] [--seed N]

Times union, subtract, intersect and missing of range sets against multi-integer-range and drange.

  --once    one iteration of each, to see that it runs
  --seed N  other random sets (default 1)
  --help    this text`

const barMs = 60_000
const sizes = [100, 10_000, 100_000]

/** As many windows as hold the branch predictor off learning one answer by heart. */
const windowCount = 64
const windowBars = 100

/** One operation in each library's words. */
interface Case {
  readonly name: string
  /** How many iterations differ from each other. */
  readonly variants: number
  readonly ours: (iteration: number) => RangeSet.RangeSet
  readonly multi: (iteration: number) => multi.MIR
  readonly drange: (iteration: number) => DRange
}

/** One set in each library's own form. Theirs include the last millisecond, so a range ends one before ours. */
interface Forms {
  readonly ours: RangeSet.RangeSet
  readonly multi: multi.MIR
  readonly drange: DRange
}

/** A small generator with a seed (mulberry32), so that each run works on the same sets. */
const makeRandom = (seed: number) => {
  let state = seed
  return (below: number): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

/** `size` ranges of 1 to 50 bars with gaps of 1 to 50 bars. */
const randomPairs = (size: number, random: (below: number) => number): ReadonlyArray<Range> => {
  let bar = 0
  return Array.from({ length: size }, (): Range => {
    const start = bar + 1 + random(50)
    bar = start + 1 + random(50)
    return [start * barMs, bar * barMs]
  })
}

const toDRange = (pairs: ReadonlyArray<Range>): DRange =>
  pairs.reduce((all, [start, end]) => all.add(start, end - 1), new DRange())

const toForms = (pairs: ReadonlyArray<Range>, withDRange: boolean): Forms => ({
  ours: RangeSet.make(pairs),
  multi: multi.normalize(pairs.map(([start, end]): Range => [start, end - 1])),
  drange: toDRange(withDRange ? pairs : [])
})

const makeCases = (a: Forms, b: Forms, frames: ReadonlyArray<Range>): ReadonlyArray<Case> => {
  const whole: Range = [0, a.ours.edges.at(-1)! + barMs]
  const missing = (name: string, frames: ReadonlyArray<Range>): Case => {
    const frameOf = (iteration: number) => frames[iteration % frames.length]!
    return {
      name,
      variants: frames.length,
      ours: (iteration) => RangeSet.missing(a.ours, ...frameOf(iteration)),
      multi: (iteration) => multi.subtract([inclusive(frameOf(iteration))], a.multi),
      drange: (iteration) => new DRange(...inclusive(frameOf(iteration))).subtract(a.drange)
    }
  }
  return [
    {
      name: "union",
      variants: 1,
      ours: () => RangeSet.union(a.ours, b.ours),
      multi: () => multi.append(a.multi, b.multi),
      drange: () => a.drange.clone().add(b.drange)
    },
    {
      name: "subtract",
      variants: 1,
      ours: () => RangeSet.subtract(a.ours, b.ours),
      multi: () => multi.subtract(a.multi, b.multi),
      drange: () => a.drange.clone().subtract(b.drange)
    },
    {
      name: "intersect",
      variants: 1,
      ours: () => RangeSet.intersect(a.ours, b.ours),
      multi: () => multi.intersect(a.multi, b.multi),
      drange: () => a.drange.clone().intersect(b.drange)
    },
    missing("missing, all of it", [whole]),
    missing(`missing, ${windowBars} bars`, frames)
  ]
}

const inclusive = ([start, end]: Range): Range => [start, end - 1]

/** Windows of 100 bars, spread over the set. */
const randomFrames = (end: number, random: (below: number) => number): ReadonlyArray<Range> =>
  Array.from({ length: windowCount }, () => {
    const start = random(Math.max(1, end / barMs - windowBars)) * barMs
    return [start, start + windowBars * barMs] as const
  })

const checkEqual = ({ name, variants, ours, multi, drange }: Case, withDRange: boolean): void => {
  for (let iteration = 0; iteration < variants; iteration++) {
    const expected = toPairs(ours(iteration)).map(inclusive)
    assert.deepEqual(multi(iteration), expected, `${name}: multi-integer-range`)
    if (!withDRange) continue
    const theirs = drange(iteration).subranges()
    const pairs = theirs.map(({ low, high }) => [low, high])
    assert.deepEqual(pairs, expected, `${name}: drange`)
  }
}

const measureSize = (size: number, { once, seed }: { readonly once: boolean; readonly seed: number }) => {
  // It takes time in the square of the size: at 100,000 ranges a single operation would take most of a minute.
  const withDRange = size <= (once ? 100 : 10_000)
  const random = makeRandom(seed)
  const [a, b] = [toForms(randomPairs(size, random), withDRange), toForms(randomPairs(size, random), withDRange)]
  return makeCases(a, b, randomFrames(a.ours.edges.at(-1)!, random)).map((each) => {
    checkEqual(each, withDRange)
    const candidates: ReadonlyArray<Work> = [each.ours, each.multi, ...(withDRange ? [each.drange] : [])]
    const [oursUs = 0, multiUs = 0, drangeUs] = medianUs(candidates, { once })
    return [
      each.name,
      size.toLocaleString("en"),
      formatUs(oursUs),
      formatUs(multiUs),
      formatRatio(multiUs, oursUs),
      drangeUs === undefined ? "–" : formatUs(drangeUs),
      drangeUs === undefined ? "–" : formatRatio(drangeUs, oursUs)
    ]
  })
}

const { values } = parseArgs({
  options: {
    once: { type: "boolean", default: false },
    seed: { type: "string", default: "1" },
    help: { type: "boolean", default: false }
  }
})

if (values.help) console.log(usage)
else {
  const rows = sizes.flatMap((size) => measureSize(size, { once: values.once, seed: Number(values.seed) }))
  const headings = ["operation", "ranges", "RangeSet", "multi-integer-range", "ratio", "drange", "ratio"]
  console.log(toTable(headings, rows))
}
