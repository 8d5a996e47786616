/** Does the page of the protocol tell of all that there is on the wire? */
import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { askAgain } from "../../protocol/wire/askAgain.ts"
import { readsMax } from "../../protocol/history/ReadManyRequest.ts"
import { textLimits } from "../../protocol/history/requestTexts.ts"
import { defaults } from "../../protocol/Settings.ts"
import { nodeIdBytesMax } from "../../protocol/wire/Token.ts"
import * as CallSubject from "../../protocol/wire/CallSubject.ts"
import { errorCodes } from "../../protocol/wire/errorCodes.ts"
import { Header, MediaType } from "../../protocol/wire/Header.ts"
import { microSubjects } from "../../protocol/wire/Micro.ts"
import { limits } from "../../protocol/wire/Limits.ts"
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

  it("has each limit with its number", () => {
    const told = (rows: ReadonlyArray<readonly [row: RegExp, numbers: ReadonlyArray<number>]>) => {
      for (const [row, numbers] of rows) {
        const line = page.split("\n").find((each) => row.test(each)) ?? ""
        const found = [...line.matchAll(/(?<![\w.-])\d{1,3}(?:,\d{3})+|(?<![\w,.-])\d+(?![\w,])/g)].map(([text]) =>
          Number(text.replaceAll(",", ""))
        )
        expect(found, String(row)).toEqual(expect.arrayContaining([...numbers]))
      }
    }
    told([
      [/^\| bytes of a request /, [limits.requestBytes, limits.batchBytes]],
      [/^\| bytes of `nodeId`/, [textLimits.nodeIdBytesMax]],
      [/^\| characters \(UTF-16 units\) of `requestId`/, [textLimits.charactersMax]],
      [/^\| names in `sourcePriority`/, [textLimits.sourcesMax]],
      [/^\| reads in a `readMany`/, [readsMax]],
      [/^\| bars of a range, in one message/, [defaults.maxBars]],
      [/^\| bars of a range whose answer is taken in parts/, [defaults.maxStreamBars]],
      [/^\| bytes of a message /, [limits.headroomBytes]],
      [/^\| requests of one caller under way/, [defaults.requestsPerCaller]],
      [/^\| requests under way on a member/, [limits.requests, limits.batches, limits.answersInParts]],
      [/^\| of these, `readMany` of one caller/, [limits.batchesPerCaller, limits.answersInPartsPerCaller]],
      [/^\| parts of an answer on their way/, [limits.credits]],
      [/^\| bytes of a part, about/, [limits.partBytes]],
      [/^\| characters of a cursor/, [limits.cursorLength]],
      [/^\| reads of a `readMany` that are worked on at once/, [limits.readsAtOnce, limits.partedReadsAtOnce]],
      [/^\| milliseconds without a grant/, [limits.creditIdleMs]],
      [/^\| milliseconds in which a member that stops/, [limits.finishMs]],
      [/^\| `Seamless-Call` /, [limits.nameLength]],
      [/^\| `Seamless-Caller` /, [limits.nameLength]]
    ])
    // a node id is as long in a request as where it is made a token
    expect(textLimits.nodeIdBytesMax).toBe(nodeIdBytesMax)
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
