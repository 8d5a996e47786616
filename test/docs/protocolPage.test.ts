/** Does the page of the protocol tell of all that there is on the wire? */
import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { askAgain } from "../../protocol/wire/askAgain.ts"
import * as CallSubject from "../../protocol/wire/CallSubject.ts"
import { errorCodes } from "../../protocol/wire/errorCodes.ts"
import { Header, MediaType } from "../../protocol/wire/Header.ts"
import { microSubjects } from "../../protocol/wire/Micro.ts"
import { service } from "../../protocol/wire/Subject.ts"

const page = readFileSync(new URL("../../docs/PROTOCOL.md", import.meta.url), "utf8")

/** What the rows of its tables begin with: one name, or several. */
const rowNames = new Set(
  page
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .flatMap((line) => [...(line.split("|")[1] ?? "").matchAll(/`([^`]+)`/g)].map(([, name]) => name))
)

const absent = (names: ReadonlyArray<string>): ReadonlyArray<string> => names.filter((name) => !rowNames.has(name))

describe("docs/PROTOCOL.md", () => {
  it("has a row for each service, header, form and error", () => {
    expect(absent(Object.values(service))).toEqual([])
    expect(absent(Object.values(Header))).toEqual([])
    expect(absent(Object.values(MediaType))).toEqual([])
    expect(absent(Object.keys(errorCodes))).toEqual([])
  })

  it("has each error with its code", () => {
    const rows = [...page.matchAll(/^\| `(\w+)` +\| +(\d{3}) \|/gm)].map(([, tag, code]) => [tag, Number(code)])
    const told = Object.fromEntries(rows)
    expect(told).toEqual({ ...errorCodes, StoreDamaged: 500 })
  })

  it("has of each error of readers whether it may be asked again", () => {
    const rows = [...page.matchAll(/^\| `(\w+)` +\| +(\d{3}) \| (no|yes|once) +\|/gm)]
    expect(rows.length).toBeGreaterThan(20)
    for (const [, tag = "", code, again = ""] of rows) {
      expect([tag, askAgain(tag, Number(code))]).toEqual([tag, again === "yes" ? "later" : again])
    }
  })

  it("says each thing in one place", () => {
    const headings = [...page.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading)
    expect(headings.filter((heading, index) => headings.indexOf(heading) !== index)).toEqual([])
  })

  it("says where calls are called off, and where members are looked for", () => {
    expect(page).toContain(`\`${CallSubject.cancels.replace("*", "<call>")}\``)
    for (const verb of ["ping", "info", "stats"] as const) expect(page).toContain(`\`${microSubjects(verb, "")[0]}\``)
  })
})
