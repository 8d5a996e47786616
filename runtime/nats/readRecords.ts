/**
 * How are many records read at once?
 *
 * From any replica, and with nothing of JetStream's client library: a program that only asks has no other use for it.
 */
import { Effect } from "effect"
import { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import type { MeshShape, Stored } from "../Mesh.ts"
import type { Connection } from "./Connection.ts"
import { hasWildcard, readBatch, type Rest, TooManyMatches } from "./readBatch.ts"

// the server refuses a read of more subjects
const subjectsPerRead = 512
// and one whose wildcards match more than 1,024: those are read in the order of their messages, so many at once
const messagesPerPage = 1000

/** Where to read, and what. */
interface Wanted {
  readonly stream: string
  readonly subjects: ReadonlyArray<string>
}

const readTogether = async (connection: Connection, { stream, subjects }: Wanted): Promise<ReadonlyArray<Stored>> => {
  const found: Array<Stored> = []
  let rest: Rest | undefined
  do {
    // the server takes no field that it does not know
    const { seq, up_to_seq } = rest ?? {}
    const body = { multi_last: subjects, ...(rest !== undefined && { seq, up_to_seq }) }
    rest = await readBatch(connection, { stream, body, onFound: (one) => found.push(one) })
  } while (rest !== undefined)
  return found
}

/**
 * Reads all messages of a subject with wildcards in their order. A subject that changes meanwhile comes again behind
 * all others, so the last message of each is among them.
 */
const readInOrder = async (connection: Connection, stream: string, subject: string): Promise<Iterable<Stored>> => {
  const last = new Map<string, Stored>()
  let seq: number | undefined = 1
  while (seq !== undefined) {
    const body = { seq, next_by_subj: subject, batch: messagesPerPage }
    const rest: Rest | undefined = await readBatch(connection, {
      stream,
      body,
      onFound: (one) => last.set(one.subject, one)
    })
    seq = rest?.seq
  }
  return last.values()
}

const readGroup = async (connection: Connection, { stream, subjects }: Wanted): Promise<ReadonlyArray<Stored>> => {
  try {
    return await readTogether(connection, { stream, subjects })
  } catch (cause) {
    if (!(cause instanceof TooManyMatches)) return Promise.reject(cause)
    const plain = subjects.filter((subject) => !hasWildcard(subject))
    const found = plain.length === 0 ? [] : [...(await readTogether(connection, { stream, subjects: plain }))]
    for (const subject of subjects.filter(hasWildcard)) found.push(...(await readInOrder(connection, stream, subject)))
    return found
  }
}

const readAll = async (connection: Connection, { stream, subjects }: Wanted): Promise<ReadonlyArray<Stored>> => {
  const found: Array<ReadonlyArray<Stored>> = []
  for (let from = 0; from < subjects.length; from += subjectsPerRead) {
    found.push(await readGroup(connection, { stream, subjects: subjects.slice(from, from + subjectsPerRead) }))
  }
  return found.flat()
}

/** Reads of many records, over a connection. */
export const make = (connection: Connection): Pick<MeshShape, "readMany"> => ({
  readMany: (stream, subjects) =>
    subjects.length === 0
      ? Effect.succeed([])
      : Effect.tryPromise({
          try: () => readAll(connection, { stream, subjects }),
          catch: (cause) => new MeshUnavailable({ operation: `read of ${stream}`, reason: String(cause) })
        })
})
