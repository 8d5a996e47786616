/**
 * How would a time have to be described that can't be read?
 *
 * Pure. Of usual ways of writing it says the format; where day and month can't be told apart it says both.
 */

const clockOf = (text: string, half: string): string => {
  if (text === "") return ""
  const [, , seconds, fraction] = /^(\d+:\d+)(:\d+)?(\.\d+)?$/.exec(text) ?? []
  const hour = half === "" ? "%H" : "%I"
  const parts = [hour, ":%M", seconds && ":%S", fraction && ".%f", half && " %p"]
  return ` ${parts.filter(Boolean).join("")}`
}

const datedForm =
  /^(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?: (\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(?: ([AaPp][Mm]))?)?$/
const packedForm = /^\d{8}(?: ?(\d{2})(:?)\d{2}(\2\d{2})?)?$/

/** What settings would say it. */
export const timeHint = (text: string): string => {
  const dated = datedForm.exec(text.trim())
  if (dated !== null) {
    const [, first = "", sign = "", second = "", year = "", clock = "", half = ""] = dated
    const rest = `${sign}${year.length === 4 ? "%Y" : "%y"}${clockOf(clock, half)}`
    const [dayFirst, monthFirst] = [`"%d${sign}%m${rest}"`, `"%m${sign}%d${rest}"`]
    if (Number(first) > 12) return `say timeFormat: ${dayFirst}`
    if (Number(second) > 12) return `say timeFormat: ${monthFirst}`
    return `say timeFormat: ${dayFirst}, or ${monthFirst} where the month comes first`
  }
  const packed = packedForm.exec(text.trim())
  if (packed === null) return "timeUnit or timeFormat say another"
  const [, hours, colon = "", seconds] = packed
  const clock = hours === undefined ? "" : `%H${colon}%M${seconds === undefined ? "" : `${colon}%S`}`
  const gap = text.trim().includes(" ") ? " " : ""
  return `say timeFormat: "%Y%m%d${gap}${clock}"`
}
