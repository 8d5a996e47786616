/**
 * How does any text become one token of a subject or a key?
 *
 * Node ids hold colons, slashes, dots, wildcards and any script; NATS tokens do not. Every byte of the UTF-8 text
 * outside `A-Z a-z 0-9 _ -` becomes `=` and two upper-case hex digits, so the encoding is reversible and sorts
 * stably.
 */
import { Option } from "effect"

const textEncoder = new TextEncoder()
const textDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** Node ids are this long at most, in UTF-8 bytes: keys stay far below what NATS takes. */
export const nodeIdBytesMax = 256

/** How many bytes the text has in UTF-8. */
export const byteLength = (text: string): number => textEncoder.encode(text).length

const escaped = (byte: number): string => `=${byte.toString(16).toUpperCase().padStart(2, "0")}`

const escapedCharacter = (character: string): string => Array.from(textEncoder.encode(character), escaped).join("")

/**
 * The text as one token.
 *
 * @example
 * encode("ohlcv:binance:BTC/USDT") // => "ohlcv=3Abinance=3ABTC=2FUSDT"
 */
export const encode = (text: string): string => text.replace(/[^A-Za-z0-9_-]/gu, escapedCharacter)

/** The text of a token; none where the token is not one that `encode` makes. */
export const decode = (token: string): Option.Option<string> => {
  if (!/^(?:[A-Za-z0-9_-]|=[0-9A-F]{2})*$/.test(token)) return Option.none()
  const bytes = token.match(/=[0-9A-F]{2}|./g) ?? []
  const text = Option.liftThrowable((codes: Uint8Array) => textDecoder.decode(codes))(
    Uint8Array.from(bytes, (part) => (part.length === 3 ? Number.parseInt(part.slice(1), 16) : part.charCodeAt(0)))
  )
  return Option.filter(text, (decoded) => encode(decoded) === token)
}
