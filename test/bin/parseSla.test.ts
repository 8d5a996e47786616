/** Is each limit of a policy read, and nothing else? */
import { Schema } from "effect"
import { assert, it } from "vitest"
import { parseSla, slaProblem } from "../../bin/parseSla.ts"
import { SlaPolicy } from "../../protocol/history/SlaPolicy.ts"

it("parseSla() reads every field of a policy but the deadline, as the wire has it", () => {
  const decode = Schema.decodeUnknownSync(SlaPolicy, { onExcessProperty: "error" })
  for (const name of Object.keys(SlaPolicy.fields).filter((field) => field !== "totalDeadlineMs")) {
    const value = name.startsWith("on") ? "partial" : 0
    const read = parseSla(`${name}=${value}`)
    assert.deepStrictEqual<object | undefined>(read, { [name]: value })
    assert.deepStrictEqual<object | undefined>(decode(read), read)
  }
  assert.deepStrictEqual(parseSla("minCoverage=0.5"), { minCoverage: 0.5 })
})

it.each([
  ["maxLag=5", /FIELD one of maxWaitStorageMs, .*maxLagMs/],
  ["maxLagMs", /maxLagMs=VALUE, and VALUE milliseconds, 0 or more/],
  ["maxLagMs=", /milliseconds/],
  ["maxLagMs=-1", /milliseconds, 0 or more/],
  ["maxLagMs=soon", /milliseconds/],
  ["maxLagMs=Infinity", /milliseconds/],
  ["minCoverage=90", /a share, 0 to 1/],
  ["onViolation=fail", /error or partial/],
  ["totalDeadlineMs=5", /--deadline/],
  ["toString=1", /FIELD one of/],
  ["", /FIELD=VALUE/]
])("parseSla(%j) is none, and slaProblem() says what would be right", (text, expected) => {
  assert.isUndefined(parseSla(text))
  assert.match(slaProblem(text), expected)
})
