/** Is it noticed when the history of a series does not add up to what stands? */
import { Schema } from "effect"
import { assert, describe, it } from "vitest"
import { CoverageRoot } from "../../../protocol/history/CoverageRoot.ts"
import * as Codec from "../../../protocol/wire/Codec.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import { keySubject } from "../../../protocol/wire/StreamSpec.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import type { StoredEntry } from "../../../runtime/simulated/SimulatedServer.ts"
import { bytesOfRoot, rootsOf } from "../../support/auditedRoots.ts"
import { rangesOf } from "../../support/jobs.ts"
import { checkReplay, checkVerdicts } from "./checkReplay.ts"
import { operationWith } from "./samples.ts"

const key = Subject.series("a", "1m")
const roots = rootsOf([{ added: rangesOf([0, 5]) }, { added: rangesOf([10, 15]) }, { added: rangesOf([20, 25]) }])

const entry = (stream: string, subject: string, data: Uint8Array): StoredEntry => ({
  stream,
  subject,
  data,
  form: "value",
  revision: 1,
  previous: 0,
  atMs: 0,
  by: "a1"
})

const audited = roots.map((root) => entry(Stream.audit.name, Subject.audit(key), bytesOfRoot(root)))

const standing = (root: CoverageRoot): StoredEntry =>
  entry(
    Stream.coverage.name,
    keySubject(Stream.coverage, key),
    Codec.toJson({ owner: "me", epoch: 1, state: Schema.encodeSync(CoverageRoot)(root) })
  )

describe("checkReplay()", () => {
  it("checkReplay() has nothing against a history that ends with what stands, or one before it", () => {
    const last = roots.at(-1)!
    assert.deepStrictEqual(checkReplay([...audited, standing(last)]), [])
    assert.deepStrictEqual(checkReplay([...audited.slice(0, -1), standing(last)]), [])
    assert.deepStrictEqual(checkReplay([standing(roots[0]!), ...audited, standing(last)]), [])
  })

  it("checkReplay() tells of a history that has a gap, or goes on behind what stands", () => {
    const [first, , last] = audited
    assert.deepStrictEqual(checkReplay([first!, last!, standing(roots[2]!)]), [
      `the history of ${key} breaks: version 3 comes after version 1`
    ])
    assert.lengthOf(checkReplay([...audited, standing(roots[0]!)]), 1)
  })
})

describe("checkVerdicts()", () => {
  it("checkVerdicts() tells of a history that an operator was told is broken", () => {
    const told = (firstBreak: unknown) =>
      checkVerdicts([operationWith({ what: "audit", about: "it", answer: { verdict: { firstBreak } } })])
    assert.deepStrictEqual(told(null), [])
    assert.deepStrictEqual(told({ problem: "a gap" }), ["audit op1 of it: a gap"])
  })
})
