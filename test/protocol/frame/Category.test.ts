/** Does a category keep its texts, whatever its dictionary? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Category from "../../../protocol/frame/Category.ts"
import { type CategoryColumn, missing } from "../../../protocol/frame/Column.ts"
import { law } from "../../support/law.ts"

const texts = fc.array(fc.constantFrom("", "a", "b", "c", null))

const column: fc.Arbitrary<CategoryColumn> = fc
  .tuple(fc.uniqueArray(fc.string({ maxLength: 2 }), { minLength: 1 }), fc.array(fc.nat()))
  .map(([dictionary, drawn]) => ({
    name: "venue",
    type: "category",
    values: Uint32Array.from(drawn, (each) => (each % 5 === 0 ? missing.category : each % dictionary.length)),
    dictionary
  }))

/** Texts with halves of surrogate pairs, and whole ones. */
const halves = fc.array(fc.string({ unit: fc.constantFrom("\uD83D", "\uDE00", "a"), maxLength: 3 }))

describe("Category", () => {
  law("toTexts() gives back the texts that fromTexts() took", [texts], (drawn) =>
    expect(Category.toTexts(Category.fromTexts("venue", drawn))).toEqual(drawn)
  )
  law("canonical() is the column of its texts", [column], (drawn) =>
    expect(Category.canonical(drawn)).toEqual(Category.fromTexts("venue", Category.toTexts(drawn)))
  )
  law("canonical() has only texts that come back from their bytes", [halves], (drawn) => {
    const { dictionary } = Category.canonical(Category.fromTexts("venue", drawn))
    const texts = dictionary.map((text) => new TextDecoder().decode(new TextEncoder().encode(text)))
    expect(dictionary).toEqual(texts)
    expect(new Set(dictionary).size).toBe(dictionary.length)
  })
  it("canonical() leaves a column as it is that is canonical", () => {
    const canonical = Category.fromTexts("venue", ["a", null, "b", "a"])
    expect(Category.canonical(canonical)).toBe(canonical)
  })
})
