/** How are amounts and lengths of time written for a person? */

const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 })

/**
 * A whole number, in groups of three digits.
 *
 * @example
 * amountText(1234567) // => "1,234,567"
 */
export const amountText = (amount: number): string => grouped.format(amount)

/**
 * So many of something.
 *
 * @example
 * countText(1, "chunk") // => "1 chunk"
 * countText(1200, "chunk") // => "1,200 chunks"
 */
export const countText = (count: number, one: string): string => `${amountText(count)} ${one}${count === 1 ? "" : "s"}`

/** A share of all as a whole percentage: 100 only where all is done, and all of nothing is. */
export const percentText = (done: number, all: number): string =>
  `${all === 0 ? 100 : Math.max(0, Math.floor((100 * Math.min(done, all)) / all))}%`

const hourSeconds = 3600
const longestHours = 1000

const twoDigits = (value: number): string => String(value).padStart(2, "0")

/**
 * A length of time as a clock shows it, rounded up to seconds; a question mark where nobody knows it.
 *
 * @example
 * clockText(3725) // => "1:02:05"
 * clockText(65) // => "1:05"
 */
export const clockText = (seconds: number | null): string => {
  if (seconds === null) return "?"
  const whole = Math.ceil(seconds)
  const hours = Math.floor(whole / hourSeconds)
  if (hours >= longestHours) return `over ${longestHours} h`
  const rest = `${Math.floor((whole % hourSeconds) / 60)}:${twoDigits(whole % 60)}`
  return hours === 0 ? rest : `${hours}:${rest.padStart(5, "0")}`
}
