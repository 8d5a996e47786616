/** Are amounts and lengths of time written so that a person reads them at a glance? */
import { expect, it } from "vitest"
import { amountText, clockText, percentText } from "../../bin/amountText.ts"

it("amountText() groups digits and has no fractions", () => {
  expect([0, 999, 1000, 1234567.8].map(amountText)).toEqual(["0", "999", "1,000", "1,234,568"])
})

it("percentText() says 100 where all is done, and not before", () => {
  expect(
    [
      [0, 10],
      [1, 3],
      [9999, 10_000],
      [10_000, 10_000],
      [11_000, 10_000],
      [-5, 10],
      [0, 0]
    ].map(([done = 0, all = 0]) => percentText(done, all))
  ).toEqual(["0%", "33%", "99%", "100%", "100%", "0%", "100%"])
})

it("clockText() rounds up to seconds, and says where nobody knows", () => {
  expect([0, 0.2, 5, 65, 3599.5, 3725, 360_000, 3_600_000, null].map(clockText)).toEqual([
    "0:00",
    "0:01",
    "0:05",
    "1:05",
    "1:00:00",
    "1:02:05",
    "100:00:00",
    "over 1000 h",
    "?"
  ])
})
