/** Which time does ISO 8601 text say? */

/** The time as text says it. */
export interface SpokenTime {
  /** In epoch milliseconds: of UTC where a zone is named, as local clocks show it where none is. */
  readonly timeMs: number
  readonly hasZone: boolean
}

const isoForm = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(Z|[+-]\d{2}(?::?\d{2})?)?)?$/i

/** A date, or a date and time, with or without a zone. NaN where it is none. */
export const readIsoTime = (text: string): SpokenTime => {
  const [, date, time = "00:00", zone] = isoForm.exec(text) ?? []
  if (date === undefined || !isInCalendar(date)) return { timeMs: Number.NaN, hasZone: true }
  return { timeMs: Date.parse(`${date}T${time}${canonicalZone(zone ?? "Z")}`), hasZone: zone !== undefined }
}

// Date.parse makes 1 March of 30 February.
const isInCalendar = (date: string): boolean => new Date(date).getUTCDate() === Number(date.slice(-2))

// Date.parse reads "+05:30" alone; "+0530" and "+05" are ISO 8601 as well.
const canonicalZone = (zone: string): string =>
  zone.length === 1 ? "Z" : `${zone.slice(0, 3)}:${zone.length === 3 ? "00" : zone.slice(-2)}`
