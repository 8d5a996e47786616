/** How does a test read MessagePack as the protocol documents it, with its arrays of numbers? */
import { Unpackr } from "msgpackr"

const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true, moreTypes: true, int64AsType: "number" })

/** The value of MessagePack bytes; typed arrays as such, and whole numbers as numbers. */
export const unpackTyped = (bytes: Uint8Array): unknown => unpackr.unpack(bytes)
