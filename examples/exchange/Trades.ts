/** How are the trades of one market kept and found? */

/** One trade as it was recorded: its number, when it was made, and the decimal text of its figures. */
export interface Trade {
  readonly id: number
  readonly atMs: number
  readonly side: "buy" | "sell"
  readonly price: string
  readonly amount: string
}

/** Which trades are asked for: from a number on, or of a time, both ends of which count as inside. */
export interface TradesRequest {
  readonly fromId: number | undefined
  readonly startTimeMs: number | undefined
  readonly endTimeMs: number | undefined
  readonly limit: number
}

/** Index of the first trade of which that holds, in an order in which it holds of all behind it. */
const firstThat = (trades: ReadonlyArray<Trade>, holds: (trade: Trade) => boolean): number => {
  let low = 0
  let high = trades.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (holds(trades[middle]!)) high = middle
    else low = middle + 1
  }
  return low
}

/** At most `limit` trades: the oldest from a number or a start, otherwise the newest. Numbers and times ascend. */
export const pageOfTrades = (
  trades: ReadonlyArray<Trade>,
  { endTimeMs = Infinity, fromId, limit, startTimeMs }: TradesRequest
): ReadonlyArray<Trade> => {
  if (fromId !== undefined) {
    const first = firstThat(trades, ({ id }) => id >= fromId)
    return trades.slice(first, first + limit)
  }
  const end = firstThat(trades, ({ atMs }) => atMs > endTimeMs)
  if (startTimeMs === undefined) return trades.slice(Math.max(0, end - limit), end)
  const start = firstThat(trades, ({ atMs }) => atMs >= startTimeMs)
  return trades.slice(start, Math.max(start, Math.min(start + limit, end)))
}
