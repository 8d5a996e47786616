/** Does plain data survive MessagePack, as any reader of it has it, and are other bytes refused? */
import { Option } from "effect"
import * as fc from "fast-check"
import { Packr } from "msgpackr"
import { describe, expect, it } from "vitest"
import * as PlainPack from "../../../protocol/wire/PlainPack.ts"
import { unpackPlain } from "../../../protocol/wire/unpackPlain.ts"
import { law } from "../../support/law.ts"

/** A reader and writer of someone else's. */
const other = new Packr({ useRecords: false, mapsAsObjects: true, moreTypes: true, int64AsType: "number" })

const plain = fc
  .jsonValue({ stringUnit: "binary" })
  .map((value): unknown => JSON.parse(JSON.stringify(value)))
  .filter((value) => !JSON.stringify(value).includes("__proto__"))

const edges = [0x7f, 0x80, 0xff, 0x1_00, 0xff_ff, 0x1_00_00, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER]
const whole = [...edges, ...edges.map((edge) => -edge), ...edges.map((edge) => -edge - 1), -32, -33, 0]

const texts = [0, 31, 32, 255, 256, 65_535, 65_536].map((length) => "é".repeat(length / 2).padEnd(length / 2 + 1, "x"))
const lists = [0, 15, 16, 65_535, 65_536].map((length) => Array.from({ length }, (_, index) => index % 7))

const bytes = (...each: ReadonlyArray<number>): Uint8Array => Uint8Array.from(each)

describe("PlainPack", () => {
  law("unpackPlain() gives back what pack() took", [plain], (value) =>
    expect(unpackPlain(PlainPack.pack(value))).toEqual(Option.some(value))
  )

  law("pack() writes what another reader reads", [plain], (value) =>
    expect(other.unpack(PlainPack.pack(value))).toEqual(value)
  )

  law("unpackPlain() reads what another writer wrote", [plain], (value) =>
    expect(unpackPlain(other.pack(value))).toEqual(Option.some(value))
  )

  it.each([whole, texts, lists].map((values) => [values] as const))("both agree about lengths and sizes", (values) => {
    for (const value of values) {
      expect(unpackPlain(PlainPack.pack(value))).toEqual(Option.some(value))
      expect(other.unpack(PlainPack.pack(value))).toEqual(value)
      expect(unpackPlain(other.pack(value))).toEqual(Option.some(value))
    }
  })

  it("unpackPlain() takes nothing away from a text", () => {
    for (const text of ["\uFEFF", "\uFEFFa", "a\uFEFF", "\u0000"]) {
      expect(unpackPlain(PlainPack.pack({ [text]: text }))).toEqual(Option.some({ [text]: text }))
    }
  })

  it("pack() writes whole numbers as integers in their shortest form", () => {
    expect(PlainPack.pack(1_670_889_600_000)).toEqual(bytes(0xcf, 0, 0, 1, 0x85, 0x08, 0xc7, 0xf4, 0))
    expect(PlainPack.pack([-1, 200, -0])).toEqual(bytes(0x93, 0xff, 0xcc, 200, 0))
    expect(PlainPack.pack([1.5, Number.NaN])).toEqual(bytes(0x92, 0xcb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 0xc0))
  })

  it("pack() leaves out what is undefined, and keeps the order of a Map's keys", () => {
    expect(PlainPack.pack({ a: undefined, b: 1 })).toEqual(bytes(0x81, 0xa1, 0x62, 1))
    expect(
      PlainPack.pack(
        new Map([
          ["b", 1],
          ["1", 2]
        ])
      )
    ).toEqual(bytes(0x82, 0xa1, 0x62, 1, 0xa1, 0x31, 2))
  })

  it("packNumbers() writes the documented extension, for any count of numbers", () => {
    expect(PlainPack.joined(PlainPack.packNumbers(Uint32Array.of(1)).chunks)).toEqual(
      bytes(0xc7, 5, 0x74, 6, 1, 0, 0, 0)
    )
    for (const count of [0, 1, 31, 32, 8191, 8192]) {
      const floats = Float64Array.from({ length: count }, (_, index) => index / 2)
      const ints = BigInt64Array.from({ length: count }, (_, index) => BigInt(index) - 1n)
      for (const values of [floats, ints]) {
        expect(other.unpack(PlainPack.pack({ values: PlainPack.packNumbers(values) }))).toEqual({ values })
      }
    }
  })

  it.each([
    ["nothing", bytes()],
    ["a value that is cut off", bytes(0x92, 1)],
    ["a text that is cut off", bytes(0xa3, 0x61)],
    ["a list that claims billions", bytes(0xdd, 0xff, 0xff, 0xff, 0xff, 1)],
    ["something behind the value", bytes(1, 2)],
    ["a key that is no text", bytes(0x81, 1, 2)],
    ["binary data", bytes(0xc4, 1, 1)],
    ["an extension", bytes(0xd4, 0x74, 1)],
    ["a code that there is not", bytes(0xc1)],
    ["what is nested too deep", new Uint8Array(1000).fill(0x91)]
  ])("unpackPlain() refuses %s", (_, data) => expect(unpackPlain(data)).toEqual(Option.none()))

  it("unpackPlain() makes no prototype of what it reads", () => {
    const value = Option.getOrThrow(unpackPlain(PlainPack.pack(new Map([["__proto__", { a: 1 }]]))))
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
  })
})
