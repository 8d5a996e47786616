/**
 * Which column of a file is which of ours?
 *
 * Pure. The usual names are known, however they are spelt; a mapping in the configuration goes before them. What is not
 * found, or found twice, is told with the names that are there.
 */
import { Result } from "effect"
import type { LakeSettings } from "../../protocol/SourceSettings.ts"

/** A column of a file. */
export interface FileColumn {
  readonly name: string
  /** As DuckDB names it; of CSV files always `VARCHAR`. */
  readonly type: string
}

/** What one row of a file is. */
export type RowKind = "bars" | "trades"

/** The file's columns by our names. */
export interface Roles {
  /** Two where a day and a time of day stand apart. */
  readonly eventTime: readonly [FileColumn] | readonly [FileColumn, FileColumn]
  readonly symbol: FileColumn | undefined
  /** By our name, in our order: prices and amounts, and whatever else is mapped. */
  readonly values: ReadonlyArray<readonly [name: string, column: FileColumn]>
}

// the first that is there counts
const timeNames = ["timestamp", "ts", "unix", "opentime", "eventtime", "datetime", "dateandtime", "time", "t", "date"]
const tradeTimeNames = ["timestamp", "ts", "transacttime", "tradetime", "eventtime", "datetime", "time", "t", "date"]
const symbolNames = ["symbol", "ticker", "pair", "instrument"]

const barNames: Readonly<Record<string, ReadonlyArray<string>>> = {
  open: ["open", "o", "openprice"],
  high: ["high", "h", "highprice"],
  low: ["low", "l", "lowprice"],
  close: ["close", "c", "closeprice", "last"],
  volume: ["volume", "vol", "v", "basevolume", "volumebase", "tickvolume", "tickvol"]
}

const tradeNames: Readonly<Record<string, ReadonlyArray<string>>> = {
  price: ["price", "p", "px", "rate"],
  amount: ["amount", "qty", "quantity", "size", "q", "volume", "vol", "basevolume"],
  id: ["id", "tradeid", "aggtradeid", "trdid", "tid"]
}

/** Columns that a file may do without. */
const optional: ReadonlyArray<string> = ["id"]

/** The letters of a name, whatever stands around and between them: `1. Open` and `<OPEN>` are `open`. */
const lettersOf = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]/gu, "")
    .replace(/^\d+(?=\p{L})/u, "")

const listed = (columns: ReadonlyArray<FileColumn>): string => columns.map(({ name }) => name).join(", ")

const isNumberText = (text: string): boolean => text.trim() !== "" && Number.isFinite(Number(text))

/** The first of some names that a column has. */
const known = (
  columns: ReadonlyArray<FileColumn>,
  names: ReadonlyArray<string>
): Result.Result<FileColumn | undefined, string> => {
  for (const name of names) {
    const found = columns.filter((column) => lettersOf(column.name) === name)
    if (found.length > 1) return Result.fail(`${listed(found)} could each be the ${name}: say which under columns`)
    if (found[0] !== undefined) return Result.succeed(found[0])
  }
  return Result.succeed(undefined)
}

const mapped = (columns: ReadonlyArray<FileColumn>, role: string, name: string): Result.Result<FileColumn, string> =>
  Result.fromNullishOr(
    columns.find((column) => column.name === name),
    () => `there is no column ${JSON.stringify(name)}, which columns.${role} names; there are ${listed(columns)}`
  )

/** The column of time, or a day beside a time of day. */
const timeOf = (
  columns: ReadonlyArray<FileColumn>,
  rows: RowKind,
  mapping: Readonly<Record<string, string>>
): Result.Result<Roles["eventTime"], string> =>
  Result.gen(function* () {
    const given = mapping["eventTime"]
    if (given !== undefined) return [yield* mapped(columns, "eventTime", given)] as const
    const names = rows === "bars" ? timeNames : tradeTimeNames
    const found = yield* known(columns, names)
    if (found === undefined) {
      return yield* Result.fail(
        `no column is known as the time; there are ${listed(columns)}: name it under columns as eventTime`
      )
    }
    const day = yield* known(columns, ["date"])
    return lettersOf(found.name) === "time" && day !== undefined ? [day, found] : [found]
  })

const lackOf = (columns: ReadonlyArray<FileColumn>, role: string): string => {
  const named = `no column is known as the ${role}; there are ${listed(columns)}: name it under columns as ${role}`
  return role === "volume" ? `${named}, or say without: [volume] where there is none` : named
}

const valueOf = (
  columns: ReadonlyArray<FileColumn>,
  role: string,
  names: ReadonlyArray<string>
): Result.Result<FileColumn | undefined, string> =>
  Result.flatMap(known(columns, names), (found) =>
    found !== undefined || optional.includes(role) ? Result.succeed(found) : Result.fail(lackOf(columns, role))
  )

/** The columns of a file, or what is wrong with them. */
export const findRoles = (
  columns: ReadonlyArray<FileColumn>,
  rows: RowKind,
  { columns: mapping = {}, without = [] }: Pick<LakeSettings, "columns" | "without">
): Result.Result<Roles, string> =>
  Result.gen(function* () {
    const numbers = columns.filter(({ name }) => isNumberText(name.replace(/_\d+$/, "")))
    if (columns.length > 1 && numbers.length * 2 > columns.length) {
      return yield* Result.fail(
        "its first line is numbers, not the names of columns: name the columns, in order, by header"
      )
    }
    const names = rows === "bars" ? barNames : tradeNames
    const values: Array<readonly [string, FileColumn]> = []
    for (const [role, usual] of Object.entries(names)) {
      if (without.some((absent) => absent === role)) continue
      const given = mapping[role]
      const column = given === undefined ? yield* valueOf(columns, role, usual) : yield* mapped(columns, role, given)
      if (column !== undefined) values.push([role, column])
    }
    const others = Object.entries(mapping).filter(
      ([role]) => !(role in names || role === "eventTime" || role === "symbol")
    )
    for (const [role, name] of others) values.push([role, yield* mapped(columns, role, name)])
    const symbol = mapping["symbol"]
    return {
      eventTime: yield* timeOf(columns, rows, mapping),
      symbol: symbol === undefined ? yield* known(columns, symbolNames) : yield* mapped(columns, "symbol", symbol),
      values
    }
  })
