/** Does any text become one token that NATS takes, and come back? */
import * as Option from "effect/Option"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Token from "../../../protocol/wire/Token.ts"
import { law } from "../../support/law.ts"

const oneOf = (characters: string) => fc.constantFrom(...Array.from(characters))

const text = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: oneOf("a1:/.*>= \t\n\0=%é漢🦀") }))

/** Texts that look like tokens: some are, most are not. */
const almostToken = fc.string({ unit: oneOf("=0123456789ABCDEFaf_-.z é"), maxLength: 12 })

describe("Token", () => {
  law("decode() gives back what encode() took", [text], (drawn) =>
    expect(Token.decode(Token.encode(drawn))).toEqual(Option.some(drawn))
  )
  law("encode() uses only bytes that NATS takes within a token", [text], (drawn) =>
    expect(Token.encode(drawn)).toMatch(/^[A-Za-z0-9_=-]*$/)
  )
  law("encode() gives different texts different tokens", [text, text], (a, b) => {
    fc.pre(a !== b)
    expect(Token.encode(a)).not.toBe(Token.encode(b))
  })
  law("decode() takes no second spelling of a text", [almostToken], (drawn) => {
    const again = Option.map(Token.decode(drawn), Token.encode)
    expect(Option.getOrElse(again, () => drawn)).toBe(drawn)
  })
  law("byteLength() counts bytes of UTF-8", [text], (drawn) =>
    expect(Token.byteLength(drawn)).toBe(Buffer.byteLength(drawn))
  )
  it.each([
    ["ohlcv:binance:BTC/USDT", "ohlcv=3Abinance=3ABTC=2FUSDT"],
    ["a.b", "a=2Eb"],
    ["*", "=2A"],
    [">", "=3E"],
    [" ", "=20"],
    ["=", "=3D"],
    ["=3A", "=3D3A"],
    ["Größe_-9", "Gr=C3=B6=C3=9Fe_-9"],
    ["漢🦀", "=E6=BC=A2=F0=9F=A6=80"],
    ["\uFEFFa", "=EF=BB=BFa"]
  ])("encode(%j) is %s", (given, token) => {
    expect(Token.encode(given)).toBe(token)
    expect(Token.decode(token)).toEqual(Option.some(given))
  })
  it.each([
    ["lower-case digits", "a=3ab"],
    ["a plain byte escaped", "=41"],
    ["half an escape", "a=3"],
    ["a lone sign", "="],
    ["no hex", "=G0"],
    ["bytes that are no UTF-8", "=C3"],
    ["an overlong form", "=C0=AF"],
    ["a surrogate", "=ED=A0=80"],
    ["two tokens", "a.b"],
    ["a wildcard", "*"],
    ["a blank", "a b"],
    ["a line break at the end", "a\n"],
    ["other letters", "é"]
  ])("decode() refuses %s", (_, token) => expect(Token.decode(token)).toEqual(Option.none()))
})
