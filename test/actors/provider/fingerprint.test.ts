/** Is a fingerprint the same for the same data, and for no other? */
import { expect, it } from "vitest"
import { fingerprint } from "../../../actors/provider/fingerprint.ts"
import { contentHash } from "../../../protocol/frame/contentHash.ts"
import type { Frame } from "../../../protocol/frame/Frame.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { series } from "../../support/jobs.ts"
import { conformed, flatBars } from "../../support/rows.ts"

const of = { series, range: [0, 600_000] satisfies Range, covered: RangeSet.of(0, 600_000) }
const frameOf = (prices: ReadonlyArray<number>, jobId = "job-1"): Frame =>
  conformed(flatBars([0, 1, 2], prices), { jobId, ingestAtMs: jobId.length }).frame
const windowsOf = (...frames: ReadonlyArray<Frame>) =>
  frames.map((frame, index) => ({ windowStart: index * 180_000, contentHash: contentHash(frame) }))

const standing = fingerprint(of, windowsOf(frameOf([1, 2, 3])))

it("fingerprint() is named by its hash", () => {
  expect(standing).toMatch(/^sha256:[0-9a-f]{64}$/)
})

it("fingerprint() does not depend on who brought the rows, or when", () => {
  expect(fingerprint(of, windowsOf(frameOf([1, 2, 3], "another run")))).toBe(standing)
})

it("fingerprint() does not depend on the order in which coverage grew", () => {
  const covered = RangeSet.make([
    [300_000, 600_000],
    [0, 120_000],
    [120_000, 300_000]
  ])
  expect(fingerprint({ ...of, covered }, windowsOf(frameOf([1, 2, 3])))).toBe(standing)
})

it("fingerprint() changes with a value, a row, the range, the coverage and the series", () => {
  const others = [
    fingerprint(of, windowsOf(frameOf([1, 2, 4]))),
    fingerprint(of, windowsOf(conformed(flatBars([0, 1])).frame)),
    fingerprint(of, windowsOf(frameOf([1, 2, 3]), frameOf([1, 2, 3]))),
    fingerprint({ ...of, range: [0, 540_000] }, windowsOf(frameOf([1, 2, 3]))),
    fingerprint({ ...of, covered: RangeSet.of(0, 540_000) }, windowsOf(frameOf([1, 2, 3]))),
    fingerprint({ ...of, series: { ...series, interval: "2m" } }, windowsOf(frameOf([1, 2, 3])))
  ]
  expect(new Set([standing, ...others]).size).toBe(7)
})
