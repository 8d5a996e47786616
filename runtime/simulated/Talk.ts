/**
 * How do messages go between a process and the simulated server?
 *
 * As over a real connection: what is sent without one is lost, a question is answered once, and subscriptions that were
 * made before a connection was lost work again when it is back.
 */
import { Effect } from "effect"
import { DeadlineExceeded, MeshUnavailable } from "../../protocol/wire/Errors.ts"
import { type Headers, type MeshShape, type Message, NoResponders, type RequestOptions } from "../Mesh.ts"
import type { Wire } from "./Exchange.ts"
import type { Parcel } from "./Link.ts"
import { isTooLarge, tooLarge } from "./Payload.ts"
import type { SimulatedServer } from "./SimulatedServer.ts"
import type { Packet } from "./Subscriptions.ts"

/** One client of a server. */
export interface Client extends Wire {
  readonly server: SimulatedServer
  readonly name: string
  /** What ends when the connection is back: it was asked over the one before. */
  readonly onLost: Set<() => void>
  /** Questions so far. */
  asked: number
}

// as in runtime/nats/RequestReply.ts
const drainWithinMs = 1000
const caughtUpWithinMs = 5000
// a connection that says nothing for so long is made anew, and what waited for it has failed
const deafAfterMs = 5000
// so soon after it was lost a connection is tried again, and what was to be sent is dropped
const redialAfterMs = 100

const noHeaders: Headers = new Map()

/** Does not let a handler's failure out: the connection is not its business. */
const guarded = (run: () => void): void => {
  try {
    run()
  } catch {
    // as with a real connection, nobody is there to be told
  }
}

const respondOver =
  ({ link, server }: Client, { reply }: Packet): Message["respond"] =>
  (data, headers = noHeaders) => {
    if (reply === undefined || !link.isUp() || isTooLarge(server.payloadBytesMax, data, () => headers)) return
    link.carry("toServer", { kind: "publish", subject: "_INBOX" }, () => reply.send(data, headers))
  }

const messageOf = (client: Client, packet: Packet): Message => ({
  subject: packet.subject,
  data: packet.data,
  replyTo: packet.reply?.to ?? "",
  get headers() {
    return packet.headers()
  },
  respond: respondOver(client, packet)
})

const doNothing = (): void => undefined

/** What is asked, under a subject of its own for the answers. */
interface Question {
  readonly subject: string
  readonly data: Uint8Array
  readonly replyTo: string
}

const numbered = (client: Client, subject: string, data: Uint8Array): Question => ({
  subject,
  data,
  replyTo: `_INBOX.${client.name}.${++client.asked}`
})

/** Asks, waits for the first answer, and hands each to `onAnswer` before. */
const asking = (
  client: Client,
  { data, replyTo, subject }: Question,
  { abandonOn, headers = noHeaders, timeoutMs }: RequestOptions,
  onAnswer: (answer: Message) => void
): ReturnType<MeshShape["request"]> =>
  Effect.callback((resume) => {
    const { link, name, server } = client
    const unavailable = (reason: string): void =>
      resume(Effect.fail(new MeshUnavailable({ operation: `request ${subject}`, reason })))
    if (!link.isUp()) return unavailable("the connection is down")
    if (isTooLarge(server.payloadBytesMax, data, () => headers)) return unavailable(tooLarge)
    let isOver = false
    let cancel = doNothing
    const gone = () => Effect.fail(new NoResponders({ subject }))
    const takeBack = abandonOn?.(() => {
      if (isOver) return
      isOver = true
      cancel()
      resume(gone())
    })
    const end = (outcome: Effect.Effect<Message, NoResponders | DeadlineExceeded>): void => {
      if (isOver) return
      isOver = true
      cancel()
      takeBack?.()
      resume(outcome)
    }
    link.carry("toServer", { kind: "request", subject }, () =>
      server.request({ client: name, subject, data, headers, replyTo }, (answer) =>
        link.carry("toProcess", { kind: "answer", subject }, () => {
          if (answer === undefined) return end(gone())
          const message = { subject: replyTo, replyTo: "", ...answer, respond: doNothing }
          guarded(() => onAnswer(message))
          end(Effect.succeed(message))
        })
      )
    )
    if (isOver) return undefined
    cancel = link.after(timeoutMs, () =>
      end(Effect.fail(new DeadlineExceeded({ waitingFor: `answer on ${subject}`, budgetMs: timeoutMs })))
    )
    return Effect.sync(() => {
      isOver = true
      cancel()
      takeBack?.()
    })
  })

const request =
  (client: Client): MeshShape["request"] =>
  (subject, data, options) =>
    Effect.suspend(() => asking(client, numbered(client, subject, data), options, doNothing))

const requestMany =
  (client: Client): MeshShape["requestMany"] =>
  (subject, data, { onAnswer, ...options }) =>
    Effect.suspend(() => {
      let isOpen = true
      const handOn = (answer: Message): void => {
        if (isOpen) onAnswer(answer)
      }
      return Effect.addFinalizer(() => Effect.sync(() => void (isOpen = false))).pipe(
        Effect.andThen(asking(client, numbered(client, subject, data), options, handOn)),
        Effect.asVoid
      )
    })

/** A turn to the server and back: whether it came back before the bound and before the connection was lost. */
const turn = (client: Client, subject: string, options: { readonly act: () => void; readonly boundMs: number }) =>
  Effect.callback<boolean>((resume) => {
    const { link, onLost, say } = client
    const parcel: Parcel = { kind: "subscribe", subject }
    let cancel = doNothing
    let isOver = false
    const end = (isBack: boolean): void => {
      if (isOver) return
      isOver = true
      cancel()
      onLost.delete(lost)
      resume(Effect.succeed(isBack))
    }
    const lost = (): void => end(false)
    if (link.isUp()) {
      onLost.add(lost)
      link.carry("toServer", parcel, () => {
        options.act()
        say(() => link.carry("toProcess", parcel, () => end(true)))
      })
    }
    if (!isOver) cancel = link.after(link.isUp() ? options.boundMs : redialAfterMs, lost)
    return Effect.sync(() => {
      isOver = true
      cancel()
      onLost.delete(lost)
    })
  })

const subscribe =
  (client: Client): MeshShape["subscribe"] =>
  (subject, handler, options) => {
    const { link, name, server } = client
    const begin = Effect.suspend(() => {
      let isOpen = true
      const parcel: Parcel = { kind: "message", subject }
      const subscription = {
        client: name,
        subject,
        group: options?.group,
        deliver: (packet: Packet) =>
          link.carry("toProcess", parcel, () => {
            if (isOpen) guarded(() => handler(messageOf(client, packet)))
          })
      }
      const remove = (): void => server.unsubscribe(subscription)
      const close = (): void => {
        isOpen = false
        remove()
      }
      const unavailable = Effect.suspend(() => {
        close()
        return Effect.fail(
          new MeshUnavailable({ operation: `subscribe ${subject}`, reason: "connection disconnected" })
        )
      })
      const add = (): void => {
        if (isOpen) server.subscribe(subscription)
      }
      return Effect.flatMap(turn(client, subject, { act: add, boundMs: deafAfterMs }), (isBack) =>
        isBack ? Effect.succeed({ close, remove }) : unavailable
      )
    })
    // what the server has sent by then is still handed on
    const drained = (remove: () => void) =>
      Effect.suspend(() =>
        link.isUp() ? turn(client, subject, { act: remove, boundMs: drainWithinMs }) : Effect.succeed(false)
      )
    return Effect.acquireRelease(begin, ({ close, remove }) =>
      Effect.andThen(Effect.interruptible(drained(remove)), Effect.sync(close))
    ).pipe(Effect.asVoid)
  }

/** The messages part of the port. */
export const make = (
  client: Client
): Pick<MeshShape, "publish" | "request" | "requestMany" | "subscribe" | "onReconnect" | "connected" | "caughtUp"> => {
  const { link, name, server } = client
  return {
    publish: (subject, data, headers = noHeaders) =>
      Effect.suspend(() => {
        if (isTooLarge(server.payloadBytesMax, data, () => headers)) {
          return Effect.fail(new MeshUnavailable({ operation: `publish ${subject}`, reason: tooLarge }))
        }
        if (link.isUp()) {
          link.carry("toServer", { kind: "publish", subject }, () =>
            server.publish({ client: name, subject, data, headers })
          )
        }
        return Effect.void
      }),
    request: request(client),
    requestMany: requestMany(client),
    subscribe: subscribe(client),
    onReconnect: (handler) =>
      Effect.acquireRelease(
        Effect.sync(() => link.onReconnect(() => guarded(handler))),
        (takeBack) => Effect.sync(takeBack)
      ).pipe(Effect.asVoid),
    connected: () => link.isUp(),
    caughtUp: Effect.asVoid(turn(client, "PING", { act: doNothing, boundMs: caughtUpWithinMs }))
  }
}
