/** How do samples become a table, and say whether the targets are met? */
import { formatUs, toTable } from "../support/measure.ts"
import { candidates, targetInFlight, type Target, targets } from "./candidates.ts"
import type { Load, Sample } from "./Load.ts"
import { median } from "./quantile.ts"

/** The samples of one candidate under one load, one a round. */
export interface Measured {
  readonly name: string
  readonly load: Load
  readonly samples: ReadonlyArray<Sample>
}

const payloadText = ({ payloadBytes }: Load): string =>
  payloadBytes < 1_024 ? `${payloadBytes} B` : `${payloadBytes / 1_024} KB`

const titleOf = (name: string): string => candidates.find((candidate) => candidate.name === name)?.title ?? name

const toRow = ({ load, name, samples }: Measured): ReadonlyArray<string> => [
  titleOf(name),
  String(load.inFlight),
  payloadText(load),
  Math.round(median(samples.map(({ asksPerS }) => asksPerS))).toLocaleString("en"),
  formatUs(median(samples.map(({ p50Us }) => p50Us))),
  formatUs(median(samples.map(({ p99Us }) => p99Us)))
]

/** All samples as Markdown; each figure is the median of the rounds. */
export const samplesTable = (measured: ReadonlyArray<Measured>): string =>
  toTable(["candidate", "in flight", "payload", "asks/s", "p50", "p99"], measured.map(toRow))

/** In percent below the other, in times above it: what the target itself is told in. */
const ratioText = (ratio: number, { ratioMin }: Target): string =>
  ratioMin < 1 ? `${Math.round(ratio * 100)} %` : `${Number(ratio.toPrecision(2))} ×`

const targetLine = (target: Target, load: Load, measured: ReadonlyArray<Measured>): string => {
  const ratePerS = (wanted: string) =>
    measured.find((each) => each.name === wanted && each.load === load)?.samples.map(({ asksPerS }) => asksPerS)
  const [ours, other] = [ratePerS(target.ours), ratePerS(target.other)]
  const what = `${titleOf(target.ours)} / ${titleOf(target.other)}, ${load.inFlight} in flight, ${payloadText(load)}`
  const aim = `target ≥ ${ratioText(target.ratioMin, target)}`
  if (ours === undefined || other === undefined) return `- ${what}: not measured (${aim})`
  const ratios = ours.map((rate, round) => rate / other[round]!)
  const [lowest, highest] = [Math.min(...ratios), Math.max(...ratios)].map((ratio) => ratioText(ratio, target))
  const verdict = median(ratios) >= target.ratioMin ? "met" : "missed"
  return `- ${what}: ${ratioText(median(ratios), target)} (${lowest} to ${highest}); ${aim}: ${verdict}`
}

/** One line a target and payload: the median of the rounds' ratios, the lowest and the highest, and the verdict. */
export const targetLines = (measured: ReadonlyArray<Measured>, loads: ReadonlyArray<Load>): string =>
  targets
    .flatMap((target) =>
      loads.filter(({ inFlight }) => inFlight === targetInFlight).map((load) => targetLine(target, load, measured))
    )
    .join("\n")
