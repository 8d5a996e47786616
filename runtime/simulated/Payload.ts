/** How large is a message, as a server counts it? */
import type { WriteOptions } from "../Mesh.ts"

/** Headers by name, in their order. */
export type HeaderList = ReadonlyArray<readonly [name: string, value: string]>

/** The headers with which a write is sent. */
export const writeHeaders = ({ expect, remove, ttlSeconds }: WriteOptions): HeaderList => {
  const headers: Array<readonly [string, string]> = []
  if (remove === true) headers.push(["KV-Operation", "DEL"])
  if (expect !== undefined) headers.push(["Nats-Expected-Last-Subject-Sequence", String(expect)])
  if (ttlSeconds !== undefined) headers.push(["Nats-TTL", `${ttlSeconds}s`])
  return headers
}

// the line before them and the empty one behind them; then a colon, a space and the end of the line for each
const frameBytes = 12
const headerFrameBytes = 4

const bytesOf = (headers: Iterable<readonly [string, string]>): number => {
  let bytes = 0
  for (const [name, value] of headers) bytes += name.length + value.length + headerFrameBytes
  return bytes === 0 ? 0 : bytes + frameBytes
}

/** Whether a message is more than a server takes; headers count. */
export const isTooLarge = (
  bytesMax: number,
  data: Uint8Array,
  headers: () => Iterable<readonly [string, string]>
): boolean => data.length > bytesMax / 2 && data.length + bytesOf(headers()) > bytesMax

/** What a client says of a message that is too large. */
export const tooLarge = "InvalidArgumentError: 'payload' max_payload size exceeded"
