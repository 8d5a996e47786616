/** What does a caller ask who asks for several series at once? */
import { Schema } from "effect"
import { HistoryRequest } from "./HistoryRequest.ts"

/** Reads in one request: what is larger is sent as several. */
export const readsMax = 1000

const { end, interval, nodeId, start, ...options } = HistoryRequest.fields

/** Several reads, each as it would be sent alone; a field beside them holds for each that does not have it itself. */
export const ReadManyRequest = Schema.Struct({
  ...options,
  nodeId: Schema.optionalKey(nodeId),
  interval: Schema.optionalKey(interval),
  start: Schema.optionalKey(start),
  end: Schema.optionalKey(end),
  requests: Schema.NonEmptyArray(Schema.Record(Schema.String, Schema.Unknown))
})
export type ReadManyRequest = typeof ReadManyRequest.Type
