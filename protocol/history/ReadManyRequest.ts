/** What does a caller ask who asks for several series at once? */
import { Schema } from "effect"
import { HistoryRequest } from "./HistoryRequest.ts"

/** Reads in one request: what is larger is sent as several. */
export const readsMax = 1000

const { end, interval, nodeId, start, ...options } = HistoryRequest.fields

/**
 * Several reads, each as it would be sent alone, and refused like that where it is none; a field beside them holds for
 * each that does not have it itself.
 */
export const ReadManyRequest = Schema.Struct({
  ...options,
  nodeId: Schema.optionalKey(nodeId),
  interval: Schema.optionalKey(interval),
  start: Schema.optionalKey(start),
  end: Schema.optionalKey(end),
  requests: Schema.Array(Schema.Unknown).check(
    Schema.isMinLength(1, { message: "has no read: there is at least one in it" })
  )
})
export type ReadManyRequest = typeof ReadManyRequest.Type
