/** Do texts come back from their bytes, however many there are and in whichever script? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { missing } from "../../../protocol/frame/Column.ts"
import * as TextBytes from "../../../protocol/frame/TextBytes.ts"
import { law } from "../../support/law.ts"
import { text } from "../frames.ts"

// few texts, so that some are equal; some runs of them have only ASCII, which has a way of its own
const words = fc.oneof(fc.constantFrom("", "a", "b", "ab"), fc.string({ maxLength: 5 }))
const texts = fc.oneof(fc.array(words), fc.array(fc.oneof(words, text)))

const encoded = (drawn: ReadonlyArray<string>) => drawn.map((each) => new TextEncoder().encode(each))

describe("TextBytes", () => {
  law("fromTexts() has the UTF-8 of each text", [texts], (drawn) => {
    const { bytes, offsets } = TextBytes.fromTexts(drawn)
    expect(drawn.map((_, row) => bytes.slice(offsets[row], offsets[row + 1]))).toEqual(encoded(drawn))
  })
  law("fromRuns() has each text as often as its run has rows", [fc.array(fc.tuple(text, fc.integer({ min: 1, max: 4 })))], (drawn) => {
    const runs = drawn.map(([each, rows]) => ({ rows, text: each }))
    const rows = drawn.flatMap(([each, count]) => Array.from({ length: count }, () => each))
    expect(TextBytes.fromRuns(runs)).toEqual(TextBytes.fromTexts(rows))
  })
  law("textAt() and textsAt() give the texts of rows", [texts], (drawn) => {
    const bytes = TextBytes.fromTexts(drawn)
    const rows = drawn.map((_, row) => row)
    expect(rows.map((row) => TextBytes.textAt(bytes, row))).toEqual(drawn)
    expect(TextBytes.textsAt(bytes, rows.toReversed())).toEqual(drawn.toReversed())
  })
  law("isSameText() compares texts", [texts, fc.nat(), fc.nat()], (drawn, a, b) => {
    fc.pre(drawn.length > 0)
    const [first, second] = [a % drawn.length, b % drawn.length]
    const isSame = drawn[first] === drawn[second]
    expect(TextBytes.isSameText(TextBytes.fromTexts(drawn), first, second)).toBe(isSame)
  })
  law("toPlaces() gives the places that fromPlaces() took", [texts, fc.infiniteStream(fc.boolean())], (drawn, gaps) => {
    const present = Uint8Array.from(drawn, () => Number(gaps.next().value))
    const held = drawn.filter((_, row) => present[row] === 1)
    const dictionary = Array.from(new Set(held))
    const values = Uint32Array.from(drawn, (each, row) =>
      present[row] === 1 ? dictionary.indexOf(each) : missing.category
    )
    const bytes = TextBytes.fromPlaces(values, dictionary)
    expect(TextBytes.toPlaces(bytes, drawn.length, present)).toEqual({ values, dictionary })
  })
  it("toPlaces() tells thousands of texts apart", () => {
    const many = Array.from({ length: 5000 }, (_, row) => `text ${row % 4999}`)
    const { dictionary, values } = TextBytes.toPlaces(TextBytes.fromTexts(many), many.length)
    expect(dictionary).toEqual(many.slice(0, 4999))
    expect(values.at(-1)).toBe(0)
  })
})
