/** Which of the symbols of a lake is meant? Pure. */
import { Result } from "effect"

/** So many are told of those that are there. */
const toldMax = 10

/** `BTC/USDT`, `BTC-USDT` and `btcusdt` are one symbol to whoever names files. */
const plain = (symbol: string): string => symbol.toUpperCase().replaceAll(/[^\p{L}\p{N}]/gu, "")

/** The symbol as it is spelt there: as it is given, else the only one that has the same letters and digits. */
export const findSymbol = (wanted: string, there: ReadonlyArray<string>): Result.Result<string, string> => {
  if (there.includes(wanted)) return Result.succeed(wanted)
  const alike = there.filter((symbol) => plain(symbol) === plain(wanted))
  if (alike.length === 1) return Result.succeed(alike[0]!)
  const [which, names] = alike.length > 1 ? ["of one spelling there are", alike] : ["there is", there]
  const told = names.slice(0, toldMax).join(", ") || "none"
  const more = names.length > toldMax ? ` and ${names.length - toldMax} more` : ""
  return Result.fail(`no symbol ${wanted}; ${which} ${told}${more}`)
}
