/**
 * Which typed columns are in the rows given?
 *
 * The schema's columns come first, in its order; what a source gives beyond them stays behind, in the source's order.
 */
import { Result } from "effect"
import type { Column } from "../../protocol/frame/Column.ts"
import type { ConformanceRules } from "../../protocol/frame/ConformanceRules.ts"
import type { DataSchema } from "../../protocol/frame/DataSchema.ts"
import type { RawRows } from "../../protocol/frame/RawRows.ts"
import { castColumn, castExtra } from "./castColumn.ts"
import type { ConformanceFailed } from "./ConformanceFailed.ts"
import { selectColumns } from "./selectColumns.ts"

/** The columns of a frame, and what it took to make them. */
export interface CastColumns {
  readonly columns: ReadonlyArray<Column>
  /** Values that their types can't hold as they are, and that are missing now. */
  readonly lossCount: number
  /** Missing values that defaults took the place of. */
  readonly defaultCount: number
  /** The rows of both, by number; some of them more than once. */
  readonly lossRows: ReadonlyArray<number>
  readonly defaultRows: ReadonlyArray<number>
  /** Columns of the schema that were not given. */
  readonly absentColumns: ReadonlyArray<string>
}

/**
 * The rows' columns under the schema: renamed, cast, with missing values and defaults. A column that is not required
 * and absent is filled with missing values; one that the schema does not name has the type of its values, and is left
 * out where it has none. Fails as `selectColumns`, `castColumn` and `castExtra` do.
 */
export const castColumns = (
  rows: RawRows,
  schema: DataSchema,
  rules: ConformanceRules = {}
): Result.Result<CastColumns, ConformanceFailed> =>
  Result.gen(function* () {
    const { extra, promised } = yield* selectColumns(rows, schema, rules)
    const absent = { rows: rows.eventTime.length }
    const [named, others] = yield* Result.all([
      Result.all(promised.map(({ field, given = absent }) => castColumn(field, given, rules))),
      Result.all(extra.map((given) => castExtra(given, rules)))
    ])
    const cast = [...named, ...others.filter((each) => each !== undefined)]
    return {
      columns: cast.map(({ column }) => column),
      lossCount: cast.reduce((sum, { lossCount }) => sum + lossCount, 0),
      defaultCount: cast.reduce((sum, { defaultCount }) => sum + defaultCount, 0),
      lossRows: cast.flatMap(({ lossRows }) => lossRows),
      defaultRows: cast.flatMap(({ defaultRows }) => defaultRows),
      absentColumns: promised.flatMap(({ field, given }) => (given === undefined ? [field.name] : []))
    }
  })
