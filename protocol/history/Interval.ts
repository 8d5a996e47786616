/**
 * How long is a bar, and on which boundaries does it stand?
 *
 * An interval is written `<n><unit>` with unit s, m, h, d or w. Grids are anchored at the Unix epoch, except that weeks
 * count from Monday 1970-01-05. Nothing here asks for the time; negative times (before 1970) align like all others.
 */
import * as Option from "effect/Option"

/** A regular grid of boundaries: `anchorMs` is one of them, and they are `lengthMs` apart. */
export interface Spacing {
  readonly lengthMs: number
  readonly anchorMs: number
}

/** The length of a bar: its canonical text, its milliseconds, and a moment at which one of its bars starts. */
export interface Interval extends Spacing {
  readonly text: string
}

const dayMs = 86_400_000

/** Monday 1970-01-05, the first start of a week after the epoch. */
const firstMondayMs = 4 * dayMs

// Longest first, so that the first unit that fits whole is the canonical one.
const unitsMs = [
  ["d", dayMs],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000]
] as const

/**
 * Reads the text of an interval into its canonical form. None for anything else than a positive whole number without
 * leading zeros and a unit, and for lengths beyond exact integers. Days never become weeks: their grids differ.
 *
 * @example
 * parse("60s") // => Option.some({ text: "1m", lengthMs: 60_000, anchorMs: 0 })
 * parse("7d") // => Option.some({ text: "7d", lengthMs: 604_800_000, anchorMs: 0 })
 */
export const parse = (text: string): Option.Option<Interval> => {
  const [, count = "", unit] = /^([1-9]\d*)([smhdw])$/.exec(text) ?? []
  const unitMs = unit === "w" ? 7 * dayMs : unitsMs.find(([name]) => name === unit)?.[1]
  if (unitMs === undefined) return Option.none()
  const lengthMs = Number(count) * unitMs
  if (!Number.isSafeInteger(lengthMs)) return Option.none()
  if (unit === "w") return Option.some({ text, lengthMs, anchorMs: firstMondayMs })
  return Option.some({ text: canonicalText(lengthMs), lengthMs, anchorMs: 0 })
}

/** The last boundary at or before `timeMs`. */
export const alignDown = (spacing: Spacing, timeMs: number): number => timeMs - sinceBoundary(spacing, timeMs)

/** The first boundary at or after `timeMs`. */
export const alignUp = (spacing: Spacing, timeMs: number): number => {
  const since = sinceBoundary(spacing, timeMs)
  return since === 0 ? timeMs : timeMs - since + spacing.lengthMs
}

/** Whether `timeMs` is a boundary. */
export const isAligned = (spacing: Spacing, timeMs: number): boolean => sinceBoundary(spacing, timeMs) === 0

/** How many bars start in `[start, end)`: for an aligned range its number of bars, for an empty one 0. */
export const barCount = (spacing: Spacing, start: number, end: number): number =>
  Math.max(0, (alignUp(spacing, end) - alignUp(spacing, start)) / spacing.lengthMs)

/** Whether bars of one spacing are each made of several whole bars of the other. */
export const isDividedBy = (longer: Spacing, shorter: Spacing): boolean =>
  shorter.lengthMs < longer.lengthMs && longer.lengthMs % shorter.lengthMs === 0 && isAligned(shorter, longer.anchorMs)

const canonicalText = (lengthMs: number): string => {
  const [name, unitMs] = unitsMs.find(([, unitMs]) => lengthMs % unitMs === 0) ?? ["s", 1_000]
  return `${lengthMs / unitMs}${name}`
}

// By remainder rather than by division: the remainder of integers is exact, a rounded quotient need not be.
const sinceBoundary = ({ anchorMs, lengthMs }: Spacing, timeMs: number): number => {
  const remainder = (timeMs - anchorMs) % lengthMs
  return remainder < 0 ? remainder + lengthMs : remainder
}
