/**
 * How is a log read from its beginning?
 *
 * In pages of a bounded number of entries and bytes, from any replica. The server ends a page early where it has
 * reached its bytes, and says how many entries are left; only where none are is it the last.
 */
import { Effect } from "effect"
import { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import { historyBytesMax, historyEntriesMax, type HistoryOptions, type HistoryPage } from "../HistoryPage.ts"
import type { MeshShape, Stored } from "../Mesh.ts"
import type { Connection } from "./Connection.ts"
import { hasWildcard, readBatch } from "./readBatch.ts"

const readPage = async (
  connection: Connection,
  stream: string,
  subject: string,
  { fromRevision = 1, max = historyEntriesMax }: HistoryOptions
): Promise<HistoryPage<Stored>> => {
  if (!connection.isUp) return Promise.reject(new Error("the connection is down"))
  if (hasWildcard(subject)) return Promise.reject(new Error("it names several subjects"))
  const entries: Array<Stored> = []
  const batch = Math.max(1, Math.min(max, historyEntriesMax))
  const body = { seq: Math.max(1, fromRevision), next_by_subj: subject, batch, max_bytes: historyBytesMax }
  const rest = await readBatch(connection, { stream, body, onFound: (entry) => entries.push(entry) })
  // who asks on from behind the last entry would ask the same again
  if (rest !== undefined && entries.length === 0) return Promise.reject(new Error("the server held all of it back"))
  return { entries, isLast: rest === undefined }
}

/** The history part of the port, over a connection. */
export const make = (connection: Connection): Pick<MeshShape, "history"> => ({
  history: (stream, subject, options = {}) =>
    Effect.tryPromise({
      try: () => readPage(connection, stream, subject, options),
      catch: (cause) => new MeshUnavailable({ operation: `read history of ${subject}`, reason: String(cause) })
    })
})
