/** How does a test play the host behind a client? */
import { Effect } from "effect"
import type { DeadlineExceeded, MeshUnavailable } from "../../protocol/wire/Errors.ts"
import type { Headers, MeshShape, Message, NoResponders } from "../../runtime/Mesh.ts"

/** A request as it went out. */
export interface Sent {
  readonly subject: string
  readonly body: unknown
  readonly headers: Headers
  readonly timeoutMs: number
}

/** What the host answers. */
export interface Answer {
  readonly data: Uint8Array
  readonly headers?: Headers
}

type Answering = (sent: Sent) => Effect.Effect<Answer, NoResponders | DeadlineExceeded | MeshUnavailable>

const unused = Effect.die("a client only asks")

const messageOf = (subject: string, { data, headers = new Map() }: Answer): Message => ({
  subject,
  data,
  headers,
  respond: () => undefined
})

/** A mesh that can only be asked. */
export const answeringMesh = (answer: Answering): MeshShape => ({
  request: (subject, data, { headers = new Map(), timeoutMs }) =>
    Effect.map(answer({ subject, body: JSON.parse(new TextDecoder().decode(data)), headers, timeoutMs }), (reply) =>
      messageOf(subject, reply)
    ),
  provision: () => unused,
  publish: () => unused,
  subscribe: () => unused,
  write: () => unused,
  read: () => unused,
  readMany: () => unused,
  history: () => unused,
  names: () => unused,
  remove: () => unused,
  enqueue: () => unused,
  dequeue: () => unused,
  take: () => unused,
  onReconnect: () => unused,
  payloadBytesMax: () => 1024,
  connected: () => true,
  caughtUp: Effect.void
})
