/**
 * How are the rows of a source to be read?
 *
 * Rules are data beside the columns of a schema: in which zone and unit times come, how late a row may be, whether
 * rows are rolled up, and which of two rows of one time stands. What is not said has the default that is named here.
 */
import { Option, Schema } from "effect"
import { OnLoss, TimeUnit } from "./DataSchema.ts"
import { QualityRules } from "./QualityRules.ts"

const isZone = Option.liftThrowable((zone: string) => new Intl.DateTimeFormat("en", { timeZone: zone }))

const Zone = Schema.String.check(
  Schema.makeFilter(
    (zone: string) => Option.isSome(isZone(zone)) || "is a time zone by its IANA name: America/New_York"
  )
)

/** How times are read. */
export const TimeRules = Schema.Struct({
  /**
   * The unit of numbers, `ms` by default. `auto` finds it by their magnitude: all have to be of one unit, between 1980
   * and 2100. Text of digits is a number where a unit is named, and no time otherwise.
   */
  unit: Schema.optionalKey(TimeUnit),
  /** The zone of text that names none itself, by its IANA name; UTC by default. */
  zone: Schema.optionalKey(Zone),
  /** A local time that clocks show twice, as they are put back; `fail` by default. */
  ambiguous: Schema.optionalKey(Schema.Literals(["earlier", "later", "fail"])),
  /** A local time that clocks pass over, as they are put forward: `forward` moves it as they are; `fail` by default. */
  nonexistent: Schema.optionalKey(Schema.Literals(["forward", "fail"])),
  /** Whether bars are stamped with their start or their end; `open` by default. */
  stamped: Schema.optionalKey(Schema.Literals(["open", "close"]))
})
export type TimeRules = typeof TimeRules.Type

/** How late a row may be. */
const LatenessRules = Schema.Struct({
  /** As many bars may a row be behind the latest before it; 2 by default. */
  bars: Schema.optionalKey(Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0))),
  /**
   * What becomes of rows that are later: `keep` sorts them in and counts them, `drop` leaves them out and counts them,
   * `fail` refuses the rows; `keep` by default.
   */
  beyond: Schema.optionalKey(Schema.Literals(["keep", "drop", "fail"]))
})

/** Which columns hold the trades that are rolled up. */
const TradeColumns = Schema.Struct({
  price: Schema.optionalKey(Schema.NonEmptyString),
  amount: Schema.optionalKey(Schema.NonEmptyString),
  id: Schema.optionalKey(Schema.NonEmptyString)
})

const ofSource = {
  time: Schema.optionalKey(TimeRules),
  /** In which order rows come: those of `newestFirst` are read backwards; `oldestFirst` by default. */
  order: Schema.optionalKey(Schema.Literals(["oldestFirst", "newestFirst"])),
  /** What is made of several rows of a bar: `trades` and `bars` roll them up; `none`, the default, keeps one. */
  rollUp: Schema.optionalKey(Schema.Literals(["none", "trades", "bars"])),
  /** The columns of trades; `price`, `amount` and `id` by default. */
  tradeColumns: Schema.optionalKey(TradeColumns)
}

/** The rules of a schema. */
export const ConformanceRules = Schema.Struct({
  ...ofSource,
  /** Columns of a source that are left out. */
  drop: Schema.optionalKey(Schema.Array(Schema.NonEmptyString)),
  /** What becomes of columns that the schema does not name; `keep` by default. */
  extraColumns: Schema.optionalKey(Schema.Literals(["keep", "drop", "fail"])),
  /** What becomes of a value that its column's type can't hold as it is; `fail` by default. */
  onLoss: Schema.optionalKey(OnLoss),
  lateness: Schema.optionalKey(LatenessRules),
  /**
   * Which row stands where several have one time: that of the preferred source, of the highest value in the column
   * `version`, or of the latest ingest time; `priority` by default.
   */
  conflict: Schema.optionalKey(Schema.Literals(["priority", "version", "ingestTime"])),
  /** The column that numbers versions; `version` by default. */
  versionColumn: Schema.optionalKey(Schema.NonEmptyString),
  /** What makes a bar doubtful, and what comes of it: beside, or in the place of, what holds for every series. */
  quality: Schema.optionalKey(QualityRules),
  /** Rules of one source by its name, which take the place of those for all. */
  sources: Schema.optionalKey(Schema.Record(Schema.String, Schema.Struct(ofSource)))
})
export type ConformanceRules = typeof ConformanceRules.Type

/** As many bars behind the latest is a row taken to be on its way, where the rules do not say. */
export const latenessBars = 2

/**
 * How far stamps are ahead of what they are stamps of, in milliseconds: the end of a bar is one behind its last moment,
 * since all times are whole.
 */
export const stampAheadMs = ({ stamped }: Pick<TimeRules, "stamped"> = {}): number => (stamped === "close" ? 1 : 0)

/** The rules that hold for the rows of a source. */
export const rulesOf = ({ sources, ...forAll }: ConformanceRules, source: string): ConformanceRules => {
  const own = sources?.[source] ?? {}
  return { ...forAll, ...own, ...((forAll.time ?? own.time) && { time: { ...forAll.time, ...own.time } }) }
}
