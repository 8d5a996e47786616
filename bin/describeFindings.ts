/** How is it told what quality rules found in an answer? */
import type { FindingSummary, QualitySummary } from "../protocol/history/QualitySummary.ts"
import type { Findings } from "./addFindings.ts"
import { alignColumns, type TextColumn } from "./alignColumns.ts"
import type { Format } from "./flags.ts"
import { isoTime } from "./isoTime.ts"

const outcomes: { readonly [Severity in FindingSummary["severity"]]: string } = {
  flag: "marked SUSPECT",
  quarantine: "kept out"
}

const exampleText = ({ count, examples }: Omit<FindingSummary, "severity">): string =>
  examples.map(isoTime).join(", ") + (count > examples.length ? ", …" : "")

const findingsTable = (findings: Findings): string => {
  const rules = Object.entries(findings)
  const column = (name: string, side: TextColumn["side"], textOf: (finding: FindingSummary) => string): TextColumn => ({
    name,
    texts: rules.map(([, finding]) => textOf(finding)),
    side
  })
  return alignColumns([
    { name: "quality rule", texts: rules.map(([rule]) => rule), side: "left" },
    column("bars", "right", ({ count }) => String(count)),
    column("outcome", "left", ({ severity }) => outcomes[severity]),
    column("at", "left", exampleText)
  ])
}

/** What each rule found, one a line with its first bars, or as one line of JSON. */
export const describeFindings = (findings: Findings, format: Format): string =>
  format === "json" ? JSON.stringify({ findings }) : findingsTable(findings)

const steps: Readonly<Record<string, string>> = {
  movedToBar: "given with a time inside the bar",
  late: "far behind a row before",
  dropped: "left out as late",
  loss: "a value that its column can't hold, now missing",
  default: "a default in the place of a missing value",
  decidedTime: "a local time that a rule decided"
}

type Conformed = NonNullable<QualitySummary["conformed"]>

const conformedTable = (conformed: Conformed): string => {
  const found = Object.entries(conformed)
  return alignColumns([
    { name: "conformed", texts: found.map(([step]) => step), side: "left" },
    { name: "bars", texts: found.map(([, { count }]) => String(count)), side: "right" },
    { name: "what", texts: found.map(([step]) => steps[step] ?? ""), side: "left" },
    { name: "at", texts: found.map(([, summary]) => exampleText(summary)), side: "left" }
  ])
}

/** What conforming did to rows, one step a line with its first bars, or as one line of JSON. */
export const describeConformed = (conformed: Conformed, format: Format): string =>
  format === "json" ? JSON.stringify({ conformed }) : conformedTable(conformed)
