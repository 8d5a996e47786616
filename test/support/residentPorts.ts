/** How does a test stand for the system around the actors of one process? */
import { Effect } from "effect"
import type { Ending, Envelope } from "../../protocol/wire/Envelope.ts"
import { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import type { ActorType, Behavior, Incoming, Result, Stopped } from "../../runtime/Actor.ts"
import type { ResidentLimits, ResidentPorts } from "../../runtime/ResidentLives.ts"
import * as Residents from "../../runtime/Residents.ts"
import { type Tenure, unshared } from "../../runtime/Tenure.ts"
import type { Reply } from "../../runtime/Work.ts"

/** What the ports have heard. */
export interface Heard {
  readonly settled: Array<{ readonly sender: string; readonly id: string; readonly how: Ending }>
  readonly forwarded: Array<Envelope>
  readonly buried: Array<string>
  /** Whether letters can be kept. */
  keepsLetters: boolean
}

/** Ports that remember what they hear. */
const makePorts = (): { readonly heard: Heard; readonly ports: ResidentPorts } => {
  const heard: Heard = { settled: [], forwarded: [], buried: [], keepsLetters: true }
  return {
    heard,
    ports: {
      owner: "host",
      settled: (sender, ended) => void heard.settled.push({ sender, ...ended }),
      forward: (envelope) => void heard.forwarded.push(envelope),
      bury: (work) =>
        Effect.suspend(() => {
          if (!heard.keepsLetters) return Effect.fail(new MeshUnavailable({ operation: "write", reason: "away" }))
          heard.buried.push(work.incoming.id)
          return Effect.void
        })
    }
  }
}

/** One message, and how it comes in. */
export interface Sending {
  readonly id: string
  readonly message?: string
  readonly key?: string
  /** The sender that tells it; nobody where it is asked. */
  readonly settle?: string
  readonly budgetMs?: number
  readonly ageMs?: number
  readonly tenure?: Tenure
}

/** Actors of one type, and a way to send to them. */
export const makeActors = Effect.fnUntraced(function* (type: ActorType<never>, limits: Partial<ResidentLimits> = {}) {
  const { heard, ports } = makePorts()
  const residents = yield* Residents.make({ types: [type], ports, limits })
  /** Sends a message; gives what its sender hears, which may grow later. */
  const send = ({ ageMs, budgetMs = 60_000, id, key = "a", message = "echo", settle, tenure }: Sending) => {
    const replies: Array<Reply> = []
    residents.receive({
      envelope: {
        format: 1,
        to: { type: type.name, key },
        id,
        cause: "",
        budgetMs,
        ...(ageMs === undefined ? {} : { ageMs }),
        ...(settle === undefined ? {} : { settle }),
        body: { message, payload: null }
      },
      tenure: tenure ?? { ...unshared, slot: "7" },
      traceParent: "",
      unreadMs: 0,
      respond: (reply) => void replies.push(reply)
    })
    return replies
  }
  return { ...residents, residents, heard, send }
})

/** Lets fibers run until they wait. */
export const settle = Effect.repeat(Effect.yieldNow, { times: 50 })

/** A reply in a word: the tag of a refusal, the body of an answer. */
export const wordOf = (reply: Reply): unknown => {
  if ("undelivered" in reply) return reply.undelivered._tag
  if ("accepted" in reply) return `accepted by ${reply.accepted}`
  return "body" in reply ? reply.body : reply.error
}

/** An actor whose lives handle their messages one by one. */
export const oneByOne = (
  name: string,
  handle: (incoming: Incoming, life: number, key: string) => Effect.Effect<Result, Stopped>,
  more: Partial<ActorType<never>> & { readonly behavior?: Partial<Behavior> } = {}
): ActorType<never> => {
  let lives = 0
  const { behavior, ...type } = more
  return {
    name,
    activate: ({ address }) =>
      Effect.sync(() => {
        const life = ++lives
        return {
          epoch: life,
          batchMax: 1,
          handle: (batch) => Effect.forEach(batch, (incoming) => handle(incoming, life, address.key)),
          ...behavior
        }
      }),
    ...type
  }
}
