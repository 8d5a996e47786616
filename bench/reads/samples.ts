/**
 * How fast are questions answered, by two who are asked in turns?
 *
 * A round takes one sample of each, every other round the other way about, and the ratio is that of a round: so a busy
 * neighbour meets both sides. What is told is the median of the rounds.
 */
import { median, quantile } from "../ask/quantile.ts"
import type { Question } from "./questions.ts"

/** How long a sample is, and how many there are. */
export interface Effort {
  readonly rounds: number
  readonly sampleMs: number
}

/** Two answers to one question, and how many questions are open at once. */
export interface Pair {
  readonly ours: Question
  readonly other: Question
  readonly inFlight: number
}

/** What one sample shows. */
interface Sample {
  readonly answersPerS: number
  readonly bytesPerS: number
  readonly p50Ms: number
}

/** The medians of both sides, and those of the ratios of the rounds, with the lowest and the highest of them. */
export interface Compared {
  readonly ours: Sample
  readonly other: Sample
  /** How much of the other's bytes in a second ours has. */
  readonly share: ReadonlyArray<number>
  /** How many times as long ours takes. */
  readonly times: ReadonlyArray<number>
}

const sum = (values: ReadonlyArray<number>): number => values.reduce((total, value) => total + value, 0)

const takeSample = async (question: Question, inFlight: number, sampleMs: number): Promise<Sample> => {
  const startedMs = performance.now()
  const tookMs: Array<number> = []
  let asked = 0
  let bytes = 0
  const lane = async (): Promise<void> => {
    do {
      const askedMs = performance.now()
      bytes += sum(await question(asked++))
      tookMs.push(performance.now() - askedMs)
    } while (performance.now() - startedMs < sampleMs)
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
  const seconds = (performance.now() - startedMs) / 1000
  return { answersPerS: tookMs.length / seconds, bytesPerS: bytes / seconds, p50Ms: quantile(tookMs, 0.5) }
}

const middle = (samples: ReadonlyArray<Sample>): Sample => ({
  answersPerS: median(samples.map(({ answersPerS }) => answersPerS)),
  bytesPerS: median(samples.map(({ bytesPerS }) => bytesPerS)),
  p50Ms: median(samples.map(({ p50Ms }) => p50Ms))
})

const around = (values: ReadonlyArray<number>): ReadonlyArray<number> => [
  median(values),
  Math.min(...values),
  Math.max(...values)
]

/** Asks both in turns. */
export const compare = async ({ inFlight, other, ours }: Pair, { rounds, sampleMs }: Effort): Promise<Compared> => {
  const taken: Array<readonly [ours: Sample, other: Sample]> = []
  for (let round = 0; round < rounds; round++) {
    const sample = (question: Question) => takeSample(question, inFlight, sampleMs)
    if (round % 2 === 0) taken.push([await sample(ours), await sample(other)])
    else {
      const first = await sample(other)
      taken.push([await sample(ours), first])
    }
  }
  return {
    ours: middle(taken.map(([each]) => each)),
    other: middle(taken.map(([, each]) => each)),
    share: around(taken.map(([mine, theirs]) => mine.bytesPerS / theirs.bytesPerS)),
    times: around(taken.map(([mine, theirs]) => mine.p50Ms / theirs.p50Ms))
  }
}
