/**
 * Which prices move as no market does?
 *
 * Each price is compared with those before it, also with those of the pages before: what is known of them is carried
 * from page to page. Prices that are missing, or not above zero, are passed over. Numbers of rows go into `found`.
 */

/** Prices and their times, both by row. */
export interface Prices {
  readonly values: Float64Array
  readonly timeMs: Float64Array
  /** Prices further apart are not compared. */
  readonly gapMs: number
}

/** The last price of the rows before. */
export interface LastPrice {
  readonly price: number
  readonly timeMs: number
}

/** Whether the higher of two prices exceeds the other by more than a share of it: a fall as far as the way back. */
const isFar = (value: number, price: number, share: number): boolean =>
  value > price * (1 + share) || price > value * (1 + share)

/** Rows whose price and the one before differ by more than a share of the lower of them. */
export const findJumps = (
  { gapMs, timeMs, values }: Prices,
  share: number,
  before: LastPrice | undefined,
  found: Array<number>
): LastPrice => {
  let price = before?.price ?? Number.NaN
  let lastMs = before?.timeMs ?? Number.NaN
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!
    const nowMs = timeMs[row]!
    if (isFar(value, price, share) && nowMs - lastMs <= gapMs) found.push(row)
    if (!(value > 0)) continue
    price = value
    lastMs = nowMs
  }
  return { price, timeMs: lastMs }
}

/** The last moves and the last price: the state of `findOutliers`. */
export interface Moves {
  /** As many as are looked at, the newest last; zero where there were none yet. */
  readonly moves: Float64Array
  /** How many there were so far. */
  readonly count: number
  readonly price: number
  readonly timeMs: number
}

/** How far from its like a move may be. */
export interface OutlierLimits {
  readonly z: number
  readonly bars: number
  readonly minBars: number
  readonly minMove: number
}

/**
 * Rows whose move is more than `z` standard deviations from the mean of the moves before. A move that is found counts
 * from then on as one at the limit: a single spike does not hide the next one, and a market that has become wilder is
 * soon known as such.
 */
export const findOutliers = (
  { gapMs, timeMs, values }: Prices,
  { bars, minBars, minMove, z }: OutlierLimits,
  before: Moves | undefined,
  found: Array<number>
): Moves => {
  const moves = new Float64Array(bars + values.length)
  if (before !== undefined) moves.set(before.moves)
  const countBefore = before?.count ?? 0
  const sums = { sum: 0, squares: 0, until: -Infinity }
  let price = before?.price ?? Number.NaN
  let lastMs = before?.timeMs ?? Number.NaN
  let next = bars
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!
    const nowMs = timeMs[row]!
    const was = price
    const isNear = nowMs - lastMs <= gapMs
    if (!(value > 0)) continue
    price = value
    lastMs = nowMs
    if (!isNear) continue
    const move = value / was - 1
    moves[next] = move
    // most moves are small: only what may be a finding is worth a mean and a root
    if ((move > minMove || move < -minMove) && next - bars + countBefore >= minBars) {
      addUp(sums, moves, next, bars)
      const known = Math.min(bars, next - bars + countBefore)
      const mean = sums.sum / known
      const limit = Math.max(minMove, z * Math.sqrt(Math.max(0, sums.squares / known - mean * mean)))
      if (Math.abs(move - mean) > limit) {
        found.push(row)
        moves[next] = mean + Math.sign(move - mean) * limit
      }
    }
    next += 1
  }
  return { moves: moves.slice(next - bars, next), count: countBefore + next - bars, price, timeMs: lastMs }
}

/**
 * Brings the sums of the `bars` moves before the next one up to date: of each move it is added once and taken away
 * once, however often they are asked for. Now and then they are made anew, since rounding adds up as well.
 */
const addUp = (
  sums: { sum: number; squares: number; until: number },
  moves: Float64Array,
  next: number,
  bars: number
): void => {
  if (next - sums.until >= bars || next % bars === 0) {
    sums.sum = 0
    sums.squares = 0
    for (let at = next - bars; at < next; at++) {
      sums.sum += moves[at]!
      sums.squares += moves[at]! * moves[at]!
    }
  } else {
    for (let at = sums.until; at < next; at++) {
      sums.sum += moves[at]! - moves[at - bars]!
      sums.squares += moves[at]! * moves[at]! - moves[at - bars]! * moves[at - bars]!
    }
  }
  sums.until = next
}

/** How far a spike goes, and how long it may last. */
export interface SpikeLimits {
  readonly share: number
  readonly withinBars: number
}

/**
 * The last price before, and the rows behind it of which it can't be said yet whether they are a spike: the state of
 * `findSpikes`.
 */
export interface Undecided extends LastPrice {
  readonly values: Float64Array
  readonly times: Float64Array
}

const nothingBefore: Undecided = {
  price: Number.NaN,
  timeMs: Number.NaN,
  values: new Float64Array(0),
  times: new Float64Array(0)
}

const joined = (before: Float64Array, values: Float64Array): Float64Array => {
  if (before.length === 0) return values
  const out = new Float64Array(before.length + values.length)
  out.set(before)
  out.set(values, before.length)
  return out
}

/**
 * Rows of a price that left by more than a share and came back to within half of it, a few rows later. It is only seen
 * when it comes back: a spike at the end of a page whose return is on the next is found there, as far as its rows are.
 */
export const findSpikes = (
  { gapMs, timeMs, values }: Prices,
  { share, withinBars }: SpikeLimits,
  before: Undecided = nothingBefore,
  found: Array<number>
): Undecided => {
  const known = before.values.length
  const all = joined(before.values, values)
  const times = joined(before.times, timeMs)
  let { price, timeMs: lastMs } = before
  for (let row = 0; row < all.length; row++) {
    const value = all[row]!
    const isAway = isFar(value, price, share) && times[row]! - lastMs <= gapMs
    const back = isAway ? returnOf({ all, price, share }, row, withinBars) : row
    for (let spike = Math.max(row, known); spike < back; spike++) found.push(spike - known)
    if (back > row) {
      row = back - 1
      continue
    }
    if (isAway && row + withinBars >= all.length) {
      return { price, timeMs: lastMs, values: all.slice(row), times: times.slice(row) }
    }
    if (!(value > 0)) continue
    price = value
    lastMs = times[row]!
  }
  return { ...nothingBefore, price, timeMs: lastMs }
}

/** The row in which the price is back; the row itself where it does not come back in time. */
const returnOf = (
  { all, price, share }: { readonly all: Float64Array; readonly price: number; readonly share: number },
  row: number,
  withinBars: number
): number => {
  const until = Math.min(all.length, row + withinBars + 1)
  for (let next = row + 1; next < until; next++) {
    // what is missing is not back either
    if (!Number.isNaN(all[next]) && !isFar(all[next]!, price, share / 2)) return next
  }
  return row
}
