/**
 * What makes a bar doubtful, and what is done about it?
 *
 * Rules as data: each kind has its parameters, a severity, and a name under which its findings are told. The rules that
 * hold for every series are in `planQuality.ts`; a configuration changes one by giving a rule of its name, adds others,
 * and takes one away by the severity `off`.
 */
import { Schema } from "effect"

/**
 * What a finding comes to: the row is marked SUSPECT; the bar is not covered and waits for a person; the whole answer
 * is refused; or the rule is not looked at.
 */
const QualitySeverity = Schema.Literals(["flag", "quarantine", "reject", "off"])

const Bars = Schema.Int.check(Schema.isGreaterThan(0))
const Share = Schema.Finite.check(Schema.isGreaterThan(0))
const ColumnName = Schema.NonEmptyString

const common = {
  /** Under which its findings are told; the rule's kind where it is not given. No two rules have the same. */
  name: Schema.optionalKey(Schema.NonEmptyString),
  severity: Schema.optionalKey(QualitySeverity)
}

/** A price is compared with the one before only when no more than so many bars lie between them. */
const maxGapBars = Schema.optionalKey(Bars)

/** A value below zero in a column that has none. */
const NegativeVolume = Schema.Struct({
  rule: Schema.Literal("negativeVolume"),
  ...common,
  column: Schema.optionalKey(ColumnName)
})

/** `high` below `low`, or `open` or `close` outside of them. */
const OhlcOrder = Schema.Struct({ rule: Schema.Literal("ohlcOrder"), ...common })

/** A value that is missing or infinite, in the columns given or in all numbers that the schema requires. */
const NonFinite = Schema.Struct({
  rule: Schema.Literal("nonFinite"),
  ...common,
  columns: Schema.optionalKey(Schema.NonEmptyArray(ColumnName))
})

/** A price of zero. */
const ZeroPrice = Schema.Struct({
  rule: Schema.Literal("zeroPrice"),
  ...common,
  columns: Schema.optionalKey(Schema.NonEmptyArray(ColumnName))
})

/** A price that differs from the one of the bar before by more than a share of the lower of them. */
const Jump = Schema.Struct({
  rule: Schema.Literal("jump"),
  ...common,
  column: Schema.optionalKey(ColumnName),
  /** With 0.5 a price may rise by half, and lose a third: as much as takes it back. */
  share: Schema.optionalKey(Share),
  maxGapBars
})

/**
 * A move that is as many standard deviations from the mean of the moves before it. A move is the change of the price as
 * a share of the one before; only bars before the one that is judged count, and at least `minBars` of them.
 */
const ZScore = Schema.Struct({
  rule: Schema.Literal("zScore"),
  ...common,
  column: Schema.optionalKey(ColumnName),
  z: Schema.optionalKey(Share),
  /** Moves that mean and deviation are taken of. */
  bars: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 2, maximum: 10_000 }))),
  minBars: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(1))),
  /** A move is no finding up to this size, however quiet the market was. */
  minMove: Schema.optionalKey(Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0))),
  maxGapBars
}).check(
  Schema.makeFilter(({ bars = 100, minBars = 0 }) =>
    minBars <= bars ? true : { path: ["minBars"], issue: `is more than the ${bars} bars that are looked at` }
  )
)

/** A price that leaves as far as `jump` means it, and is back within half of that share a few bars later. */
const Reversal = Schema.Struct({
  rule: Schema.Literal("reversal"),
  ...common,
  column: Schema.optionalKey(ColumnName),
  share: Schema.optionalKey(Share),
  /** The bars that it may stay away. */
  withinBars: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 }))),
  maxGapBars
})

/** A row given behind one that is more than `toleranceBars` later; not where all rows are given newest first. */
const TimeBackwards = Schema.Struct({
  rule: Schema.Literal("timeBackwards"),
  ...common,
  toleranceBars: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)))
})

/** A feed that stands still: the same bar, with a volume, `bars` times in a row; or one price for `flatBars` bars. */
const StaleRepeat = Schema.Struct({
  rule: Schema.Literal("staleRepeat"),
  ...common,
  bars: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(1))),
  /** Not looked at where it is absent: a quiet market has one price for long. */
  flatBars: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(1)))
})

/**
 * Of `bars` bars on the grid, fewer than the share `minShare` are there. It finds those that are, and the one behind
 * such a stretch where there are none; it may not keep them out.
 */
const BarCount = Schema.Struct({
  rule: Schema.Literal("barCount"),
  ...common,
  bars: Schema.optionalKey(Bars),
  minShare: Schema.optionalKey(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 })))
})

/** One rule, as it is configured. */
export const QualityRule = Schema.Union([
  NegativeVolume,
  OhlcOrder,
  NonFinite,
  ZeroPrice,
  Jump,
  ZScore,
  Reversal,
  TimeBackwards,
  StaleRepeat,
  BarCount
]).annotate({
  message:
    "is a rule with its kind: { rule: jump }; the kinds are negativeVolume, ohlcOrder, nonFinite, zeroPrice, jump, " +
    "zScore, reversal, timeBackwards, staleRepeat, barCount"
})
export type QualityRule = typeof QualityRule.Type

/** What the names begin with under which steps of conformance tell of rows, beside rules: no rule has such a name. */
export const stepPrefix = "step:"

/** Rules beside, or in the place of, the ones that hold for every series. */
export const QualityRules = Schema.Array(QualityRule).check(
  Schema.makeFilter((rules: ReadonlyArray<QualityRule>) => {
    const names = rules.map(({ name, rule }) => name ?? rule)
    const ofStep = names.findIndex((name) => name.startsWith(stepPrefix))
    if (ofStep >= 0) return { path: [ofStep, "name"], issue: `names that begin with ${stepPrefix} are not for rules` }
    const again = names.findIndex((name, index) => names.indexOf(name) < index)
    return again < 0 ? true : { path: [again, "name"], issue: `${names[again]} is the name of another rule already` }
  })
)
export type QualityRules = typeof QualityRules.Type
