/**
 * Which files come without a header line, and are known all the same?
 *
 * Pure. What exchanges publish has one form for years; the first line shows which it is. Anything else without a header
 * line is told as that.
 */

const forms = {
  whole: /^\d+$/,
  number: /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/,
  // from milliseconds to microseconds
  time: /^\d{13}(\d{3})?$/,
  truth: /^(true|false)$/i
} as const

type Dump = ReadonlyArray<readonly [name: string, form: keyof typeof forms]>

// Binance: aggregated trades, trades, and bars. Futures have no last column in the first two.
const dumps: ReadonlyArray<Dump> = [
  [
    ["agg_trade_id", "whole"],
    ["price", "number"],
    ["quantity", "number"],
    ["first_trade_id", "whole"],
    ["last_trade_id", "whole"],
    ["transact_time", "time"],
    ["is_buyer_maker", "truth"],
    ["is_best_match", "truth"]
  ],
  [
    ["id", "whole"],
    ["price", "number"],
    ["qty", "number"],
    ["quote_qty", "number"],
    ["time", "time"],
    ["is_buyer_maker", "truth"],
    ["is_best_match", "truth"]
  ],
  [
    ["open_time", "time"],
    ["open", "number"],
    ["high", "number"],
    ["low", "number"],
    ["close", "number"],
    ["volume", "number"],
    ["close_time", "time"],
    ["quote_volume", "number"],
    ["count", "whole"],
    ["taker_buy_volume", "number"],
    ["taker_buy_quote_volume", "number"],
    ["ignore", "number"]
  ]
]

/** Of how many columns the last may be absent. */
const lastAbsentOf: ReadonlyArray<string> = ["is_best_match"]

const fits = (dump: Dump, cells: ReadonlyArray<string>): boolean => {
  const last = dump.at(-1)?.[0] ?? ""
  const least = lastAbsentOf.includes(last) ? dump.length - 1 : dump.length
  return (
    least <= cells.length &&
    cells.length <= dump.length &&
    cells.every((cell, at) => forms[dump[at]![1]].test(cell.trim()))
  )
}

/** The names of the columns of a file whose first line has these cells; undefined where none is known by it. */
export const dumpHeader = (cells: ReadonlyArray<string>): ReadonlyArray<string> | undefined =>
  dumps
    .find((dump) => fits(dump, cells))
    ?.slice(0, cells.length)
    .map(([name]) => name)
