/** Which of the symbols of a lake is meant? Pure. */
import { Result } from "effect"
import type { FileFacts } from "./learnFile.ts"

/** So many are told of those that are there. */
const toldMax = 10

/** `BTC/USDT`, `BTC-USDT` and `btcusdt` are one symbol to whoever names files. */
const plain = (symbol: string): string => symbol.toUpperCase().replaceAll(/[^\p{L}\p{N}]/gu, "")

/** The symbols that have the same letters and digits. */
const alikeTo = (wanted: string, there: ReadonlyArray<string>): ReadonlyArray<string> =>
  there.filter((symbol) => plain(symbol) === plain(wanted))

/** The symbol as it is spelt there: as it is given, else the only one that has the same letters and digits. */
export const findSymbol = (wanted: string, there: ReadonlyArray<string>): Result.Result<string, string> => {
  if (there.includes(wanted)) return Result.succeed(wanted)
  const alike = alikeTo(wanted, there)
  if (alike.length === 1) return Result.succeed(alike[0]!)
  const [which, names] = alike.length > 1 ? ["of one spelling there are", alike] : ["there is", there]
  const told = names.slice(0, toldMax).join(", ") || "none"
  const more = names.length > toldMax ? ` and ${names.length - toldMax} more` : ""
  return Result.fail(`no symbol ${wanted}; ${which} ${told}${more}`)
}

const namesIn = ({ symbols }: FileFacts): ReadonlyArray<string> => Array.from(symbols?.keys() ?? [])

/** The symbols that columns of files name. */
export const symbolsOf = (facts: ReadonlyArray<FileFacts>): ReadonlyArray<string> => [
  ...new Set(facts.flatMap(namesIn))
]

/**
 * The files that have rows of a symbol, with no more than those; all of them where no column says whose they are. Each
 * file may spell it in its own way, unless two spellings in one file show that they are two symbols.
 */
export const filesWith = (
  wanted: string,
  facts: ReadonlyArray<FileFacts>
): Result.Result<ReadonlyArray<FileFacts>, string> => {
  if (facts.every(({ symbols }) => symbols === undefined)) return Result.succeed(facts)
  const silent = facts.find(({ rows, symbols }) => symbols === undefined && rows > 0)
  if (silent !== undefined) return Result.fail(`${silent.file.name} has no column of the symbol, which others have`)
  const areTwo = facts.some((each) => alikeTo(wanted, namesIn(each)).length > 1)
  const chosen = facts.flatMap((each) => {
    const names = namesIn(each)
    const symbol = areTwo || names.includes(wanted) ? wanted : alikeTo(wanted, names)[0]
    const held = symbol === undefined ? undefined : each.symbols?.get(symbol)
    return symbol === undefined || held === undefined ? [] : [{ ...each, ...held, symbol }]
  })
  return chosen.length > 0 ? Result.succeed(chosen) : Result.map(findSymbol(wanted, symbolsOf(facts)), () => chosen)
}
