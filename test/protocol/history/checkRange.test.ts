/** Is a range taken that there can be, and is any other told what would be right? */
import { Option, Result } from "effect"
import { expect, it } from "vitest"
import { checkRange } from "../../../protocol/history/checkRange.ts"
import * as Interval from "../../../protocol/history/Interval.ts"

const minute = Option.getOrThrow(Interval.parse("1m"))

const problemOf = (start: number, end: number) =>
  Result.match(checkRange({ start, end }, minute), { onFailure: ({ _tag }) => _tag, onSuccess: () => "none" })

it("checkRange() takes whole bars as they are", () => {
  expect(checkRange({ start: 60_000, end: 120_000 }, minute)).toEqual(Result.succeed([60_000, 120_000]))
})

it.each([
  [60_000, 60_000],
  [120_000, 60_000]
])("checkRange() refuses [%d, %d), which holds no time", (start, end) => {
  expect(problemOf(start, end)).toBe("InvalidRequest")
})

it("checkRange() refuses what is not aligned and names what is around it, or takes that where it may", () => {
  const refused = checkRange({ start: 1, end: 60_001 }, minute)
  expect(Result.getFailure(refused)).toMatchObject(
    Option.some({ _tag: "UnalignedRange", alignedStart: 0, alignedEnd: 120_000 })
  )
  expect(checkRange({ start: 1, end: 60_001, align: "expand" }, minute)).toEqual(Result.succeed([0, 120_000]))
})
