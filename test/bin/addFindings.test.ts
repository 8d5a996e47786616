/** Is it told what rules found in several answers as if it were one? */
import { assert, it } from "vitest"
import { addFindings } from "../../bin/addFindings.ts"

it("addFindings() counts all bars, and tells the first five", () => {
  const jump = { count: 4, severity: "flag", examples: [1, 2, 3, 4] } as const
  const more = { count: 9, severity: "flag", examples: [11, 12, 13, 14, 15] } as const
  const zeroPrice = { count: 1, severity: "quarantine", examples: [12] } as const
  const both = addFindings(addFindings({}, { jump }), { jump: more, zeroPrice })
  assert.deepStrictEqual(both, { jump: { count: 13, severity: "flag", examples: [1, 2, 3, 4, 11] }, zeroPrice })
  assert.deepStrictEqual(addFindings(both), both)
})
