/** How are switches told to a person? */
import type { AdminAnswer } from "../client/admin.ts"
import { switches } from "../protocol/Switches.ts"
import { isoTime } from "./isoTime.ts"
import { absent, tableOf } from "./tableOf.ts"

type Switch = AdminAnswer<"switches">["switches"][number]

const standing = ({ on }: Switch): string => (on ? "on" : "off")

/** Every switch: how it stands, by whose word, and what it does. */
export const switchesText = (all: ReadonlyArray<Switch>): string =>
  tableOf(all, [
    ["switch", ({ name }) => name],
    ["", (each) => standing(each)],
    ["default", ({ onByDefault }) => (onByDefault ? "on" : "off")],
    ["by", ({ word }) => word?.by ?? absent],
    ["since", ({ word }) => (word === null ? absent : isoTime(word.at))],
    ["reason", ({ word }) => word?.reason ?? absent],
    ["means", ({ means }) => means]
  ])

/** What holds as it stands now. */
const holds = ({ means, name, on }: Switch): string => (on ? means : switches[name].offMeans)

/** What has become of a switch that was turned, and what holds now. */
export const turnedText = ({ changed, switch: turned, version }: AdminAnswer<"turnSwitch">): string => {
  const { name, word } = turned
  const whose = word === null ? "" : `, by ${word.by}: ${word.reason}`
  const what = changed ? `is ${standing(turned)} now (change ${version})` : `was ${standing(turned)} already`
  return `${name} ${what}${whose}\n${holds(turned)}`
}
