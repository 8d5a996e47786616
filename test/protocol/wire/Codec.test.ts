/** Does a value survive its bytes, and are other bytes refused? */
import * as Option from "effect/Option"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Codec from "../../../protocol/wire/Codec.ts"
import { law } from "../../support/law.ts"

/** Data as messages hold it; a zero of the other sign has no form of its own in either encoding. */
const plain = fc
  .jsonValue({ stringUnit: "binary" })
  .map((value): unknown => JSON.parse(JSON.stringify(value)))
  .filter((value) => !JSON.stringify(value).includes("__proto__"))

const typedArray = fc.oneof(
  fc.float64Array(),
  fc.uint32Array(),
  fc.int32Array(),
  fc.uint8Array({ minLength: 1 }).map((bytes) => Float64Array.from(bytes))
)

describe("Codec", () => {
  law("unpack() gives back what pack() took", [plain], (value) =>
    expect(Codec.unpack(Codec.pack(value))).toEqual(Option.some(value))
  )
  law("unpack() gives back typed arrays whole", [typedArray], (values) =>
    expect(Codec.unpack(Codec.pack({ values }))).toEqual(Option.some({ values }))
  )
  law("unpack() refuses what was cut off", [plain, fc.nat()], (value, cut) => {
    const bytes = Codec.pack({ value })
    expect(Codec.unpack(bytes.subarray(0, cut % bytes.length))).toEqual(Option.none())
  })
  law("pack() makes maps with text keys that any reader knows", [fc.string(), plain], (key, value) => {
    fc.pre(key !== "__proto__")
    // the long form of a map of one entry; a private record would begin otherwise
    expect(Array.from(Codec.pack({ [key]: value }).subarray(0, 3))).toEqual([0xde, 0, 1])
  })
  law("fromJson() gives back what toJson() took", [plain], (value) =>
    expect(Codec.fromJson(Codec.toJson(value))).toEqual(Option.some(value))
  )
  it("pack() keeps numbers beyond 32 bits", () => {
    const times = [1_670_889_600_000, -1_670_889_600_000, 0.1, 2 ** 53 - 1, Infinity]
    expect(Codec.unpack(Codec.pack(times))).toEqual(Option.some(times))
  })
  it("pack() gives bytes that a later call does not change", () => {
    const first = Codec.pack({ name: "first" })
    const copy = Uint8Array.from(first)
    Codec.pack({ name: "other", more: "x".repeat(10_000) })
    expect(Uint8Array.from(first)).toEqual(copy)
  })
  it.each([
    ["nothing", []],
    ["a value and more", [0x01, 0x01]]
  ])("unpack() refuses %s", (_, bytes) => expect(Codec.unpack(Uint8Array.from(bytes))).toEqual(Option.none()))
  it.each([
    ["nothing", ""],
    ["half a value", '{"a":'],
    ["no JSON", "seamless"]
  ])("fromJson() refuses %s", (_, text) =>
    expect(Codec.fromJson(new TextEncoder().encode(text))).toEqual(Option.none())
  )
})
