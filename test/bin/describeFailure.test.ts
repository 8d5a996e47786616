/** Is a failure told by its tag, to people and to programs? */
import { assert, it } from "vitest"
import { InvalidConfiguration } from "../../bin/configuration.ts"
import { describeFailure } from "../../bin/describeFailure.ts"
import { SeamlessError } from "../../client/SeamlessError.ts"
import { UnalignedRange } from "../../protocol/history/Errors.ts"
import { meta } from "../client/answers.ts"

const refused = new SeamlessError({
  tag: "CoverageMissing",
  message: "2 bars of 2 are missing",
  code: 404,
  fields: { missingBars: 2 },
  meta
})

it("describeFailure() is the tag and the message", () => {
  assert.strictEqual(describeFailure(refused, "table"), "CoverageMissing: 2 bars of 2 are missing")
})

it("describeFailure() in JSON has the form of an error on the wire", () => {
  assert.deepStrictEqual(JSON.parse(describeFailure(refused, "json")), {
    error: { tag: "CoverageMissing", message: "2 bars of 2 are missing", missingBars: 2 },
    meta
  })
})

it("describeFailure() tells the fields of an error of the command itself, and no stack", () => {
  const mistakes = [{ path: "series", problem: "is missing" }]
  const error = new InvalidConfiguration({ file: "a.yaml", mistakes })
  assert.deepStrictEqual(JSON.parse(describeFailure(error, "json")), {
    error: { tag: "InvalidConfiguration", message: "a.yaml: series: is missing", file: "a.yaml", mistakes }
  })
})

it("describeFailure() of a range that is not whole bars names the whole bars, and no option that no command has", () => {
  const grid = { start: 0, end: 90_000, interval: "1m", alignedStart: 0, alignedEnd: 120_000 }
  const { message } = new UnalignedRange(grid)
  assert.match(message, /align: "expand"/)
  const refused = new SeamlessError({ tag: "UnalignedRange", message, code: 400, fields: grid })
  for (const format of ["table", "json"] as const) {
    assert.match(
      describeFailure(refused, format),
      /ask for \[1970-01-01T00:00:00Z, 1970-01-01T00:02:00Z\) \(0 to 120000\)/
    )
    assert.notInclude(describeFailure(refused, format), "align:")
  }
})
