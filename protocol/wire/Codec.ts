/**
 * How does a value between hosts become bytes and come back?
 *
 * Plain MessagePack without private records, so that other languages read it. Stored records are JSON instead: people
 * and every NATS client look at them.
 */
import { Option } from "effect"
import { Packr } from "msgpackr"

// moreTypes: without it a typed array is silently cut to one byte an element
const packr = new Packr({ useRecords: false, mapsAsObjects: true, moreTypes: true })

/** The value as MessagePack; plain data, typed arrays allowed. */
export const pack = (value: unknown): Uint8Array => packr.pack(value)

/** The value of MessagePack bytes; none where they are none. */
export const unpack: (bytes: Uint8Array) => Option.Option<unknown> = Option.liftThrowable(
  (bytes: Uint8Array): unknown => packr.unpack(bytes)
)

const textEncoder = new TextEncoder()
const textDecoder = new TextDecoder()

/** The value as JSON in UTF-8. */
export const toJson = (value: unknown): Uint8Array => textEncoder.encode(JSON.stringify(value))

/** The value of JSON bytes; none where they are none. */
export const fromJson: (bytes: Uint8Array) => Option.Option<unknown> = Option.liftThrowable(
  (bytes: Uint8Array): unknown => JSON.parse(textDecoder.decode(bytes))
)
