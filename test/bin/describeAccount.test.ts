/** Can a person read an account? */
import { assert, it } from "vitest"
import { describeAccount } from "../../bin/describeAccount.ts"

it("describeAccount() writes a field a line, text as it is and the rest as JSON", () => {
  const text = describeAccount({ strategy: "seamless", strict: false, coverageRanges: [[0, 60_000]] })
  assert.deepStrictEqual(text.split("\n"), [
    "strategy        seamless",
    "strict          false",
    "coverageRanges  [[0,60000]]"
  ])
})
