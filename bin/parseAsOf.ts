/**
 * Which point of the past does a person mean?
 *
 * A version of the coverage, or a time. Digits below a hundred thousand million are a version: as milliseconds they
 * would be of before March 1973, when nothing was stored, and no series has so many versions.
 */
import type { AsOf } from "../protocol/history/AsOf.ts"
import { likelyMeant, parseTime } from "./parseTime.ts"

const versionForm = /^\d{1,11}$/

/**
 * The point; null for what stands now, and undefined where the text is none.
 *
 * @example
 * parseAsOf("17") // => { version: 17 }
 * parseAsOf("2022-12-13T00:00") // => { time: 1670889600000 }
 * parseAsOf("now") // => null
 */
export const parseAsOf = (text: string): AsOf | null | undefined => {
  if (text === "now") return null
  if (versionForm.test(text) && likelyMeant(text) === undefined) return { version: Number(text) }
  const time = text.startsWith("-") ? undefined : parseTime(text)
  return time === undefined ? undefined : { time }
}

/** What a text that is no point would have to be. */
export const asOfProblem = (text: string): string => {
  const meant = likelyMeant(text)
  const form =
    "a version such as 17, epoch milliseconds, ISO 8601 such as 2022-12-13T00:00 (UTC without a zone), or now"
  return meant === undefined ? form : `${form}; did you mean ${meant}?`
}
