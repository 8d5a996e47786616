/** How is it told what quality rules found in an answer? */
import type { FindingSummary } from "../protocol/history/QualitySummary.ts"
import type { Findings } from "./addFindings.ts"
import { alignColumns, type TextColumn } from "./alignColumns.ts"
import type { Format } from "./flags.ts"
import { isoTime } from "./isoTime.ts"

const outcomes: { readonly [Severity in FindingSummary["severity"]]: string } = {
  flag: "marked SUSPECT",
  quarantine: "kept out"
}

const exampleText = ({ count, examples }: FindingSummary): string =>
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
