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

/** Answers a request; what takes many answers is given the others by `more`, whenever it is called. */
type Answering = (
  sent: Sent,
  more: (answer: Answer) => void
) => Effect.Effect<Answer, NoResponders | DeadlineExceeded | MeshUnavailable>

/** What a client has published. */
export interface Published {
  readonly subject: string
  readonly text: string
}

const unused = Effect.die("a client only asks")

const textOf = (data: Uint8Array): string => new TextDecoder().decode(data)

const messageOf = (subject: string, { data, headers = new Map() }: Answer): Message => ({
  subject,
  data,
  headers,
  replyTo: "",
  respond: () => undefined
})

const doNothing = (): void => undefined

/** A mesh that can only be asked, and told what its answers need. */
export const answeringMesh = (answer: Answering, onPublish: (sent: Published) => void = doNothing): MeshShape => ({
  request: (subject, data, { headers = new Map(), timeoutMs }) =>
    Effect.map(answer({ subject, body: JSON.parse(textOf(data)), headers, timeoutMs }, doNothing), (reply) =>
      messageOf(subject, reply)
    ),
  requestMany: (subject, data, { headers = new Map(), onAnswer, timeoutMs }) =>
    Effect.gen(function* () {
      let isOpen = true
      yield* Effect.addFinalizer(() => Effect.sync(() => void (isOpen = false)))
      const handOn = (reply: Answer): void => {
        if (isOpen) onAnswer(messageOf(subject, reply))
      }
      handOn(yield* answer({ subject, body: JSON.parse(textOf(data)), headers, timeoutMs }, handOn))
    }),
  provision: () => unused,
  publish: (subject, data) => Effect.sync(() => onPublish({ subject, text: textOf(data) })),
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
