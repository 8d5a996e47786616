/** Is it said how a time has to be described that can't be read as it is? */
import { describe, expect, it } from "vitest"
import { timeHint } from "../../../actors/sources/timeHint.ts"

describe("timeHint()", () => {
  it.each([
    ["13.12.2022 00:01", 'say timeFormat: "%d.%m.%Y %H:%M"'],
    ["12/13/2022 00:01", 'say timeFormat: "%m/%d/%Y %H:%M"'],
    ["1/2/22", 'say timeFormat: "%d/%m/%y", or "%m/%d/%y" where the month comes first'],
    [
      "01-02-2022 9:05:00 PM",
      'say timeFormat: "%d-%m-%Y %I:%M:%S %p", or "%m-%d-%Y %I:%M:%S %p" where the month comes first'
    ],
    ["13.12.2022 00:01:02.5", 'say timeFormat: "%d.%m.%Y %H:%M:%S.%f"'],
    ["20221213 000100", 'say timeFormat: "%Y%m%d %H%M%S"'],
    ["20221213 00:01", 'say timeFormat: "%Y%m%d %H:%M"'],
    ["202212130001", 'say timeFormat: "%Y%m%d%H%M"'],
    ["20221213", 'say timeFormat: "%Y%m%d"'],
    ["soon", "timeUnit or timeFormat say another"],
    ["", "timeUnit or timeFormat say another"]
  ])("timeHint() of %j", (text, hint) => {
    expect(timeHint(text)).toBe(hint)
  })
})
