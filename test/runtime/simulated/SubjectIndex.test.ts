/** Does the index of patterns find what each pattern by itself names? */
import { assert, describe, it } from "vitest"
import * as SubjectIndex from "../../../runtime/simulated/SubjectIndex.ts"
import { seededNumbers } from "../../support/seededOrder.ts"

/** Whether a pattern names a subject, word for word as NATS says it. */
const names = (pattern: ReadonlyArray<string>, subject: ReadonlyArray<string>): boolean => {
  const [first, ...morePattern] = pattern
  const [token, ...moreSubject] = subject
  if (first === undefined || token === undefined) return first === token
  if (first === ">") return true
  return (first === "*" || first === token) && names(morePattern, moreSubject)
}

describe("SubjectIndex", () => {
  it("of() and matcher() find exactly the patterns that name a subject, as patterns come and go", () => {
    const random = seededNumbers(7)
    const pick = (from: ReadonlyArray<string>) => from[Math.floor(random() * from.length)]!
    const tokens = (from: ReadonlyArray<string>) =>
      Array.from({ length: 1 + Math.floor(random() * 4) }, () => pick(from))
    const patternOf = () => {
      const fixed = tokens(["a", "b", "ab", "*"])
      return (random() < 0.3 ? [...fixed, ">"] : fixed).join(".")
    }
    const index = SubjectIndex.make((found: ReadonlyArray<string>) => found.toSorted())
    const patterns = new Set([">", "*"])
    for (const pattern of patterns) index.add(pattern, pattern)
    for (let turn = 0; turn < 2000; turn++) {
      const pattern = patternOf()
      if (patterns.delete(pattern)) index.remove(pattern, pattern)
      else if (patterns.size < 40) index.add(pattern, patterns.add(pattern) && pattern)
      const subject = tokens(["a", "b", "ab", "c"]).join(".")
      const expected = [...patterns].filter((one) => names(one.split("."), subject.split("."))).toSorted()
      assert.deepStrictEqual(index.of(subject), expected)
      assert.deepStrictEqual([...patterns].filter((one) => SubjectIndex.matcher(one)(subject)).toSorted(), expected)
    }
  })
})
