/** How does a test take a client's connection away, and bring it back? */
import { Effect } from "effect"
import * as Link from "../../client/Link.ts"
import type { Session } from "../../client/Session.ts"
import { DeadlineExceeded } from "../../protocol/wire/Errors.ts"
import { type Message, NoResponders } from "../../runtime/Mesh.ts"
import { answeringMesh, type Answer, type Published, type Sent } from "../support/answeringMesh.ts"

/** What a host makes of a question: an answer, nobody to take it, or nothing for ever. */
export type Outcome = Answer | "nobody" | "silence" | Effect.Effect<Answer>

/** A session over a connection that a test takes away and brings back. */
export const start = (outcomeOf: (sent: Sent) => Outcome) =>
  Effect.gen(function* () {
    const sent: Array<Sent> = []
    const published: Array<Published> = []
    const handlers = new Set<() => void>()
    let isUp = true

    const answer = (question: Sent) =>
      Effect.suspend(() => {
        sent.push(question)
        const outcome = outcomeOf(question)
        if (outcome === "silence") return Effect.never
        if (outcome === "nobody") return Effect.fail(new NoResponders({ subject: question.subject }))
        return Effect.isEffect(outcome) ? outcome : Effect.succeed(outcome)
      })
    const plain = answeringMesh(answer, (one) => void published.push(one))
    const mesh: Session["mesh"] = {
      ...plain,
      connected: () => isUp,
      onReconnect: (handler) => Effect.sync(() => void handlers.add(handler)),
      request: (subject, data, options) =>
        Effect.raceFirst(
          plain.request(subject, data, options).pipe(
            Effect.timeoutOrElse({
              duration: options.timeoutMs,
              orElse: () => new DeadlineExceeded({ waitingFor: subject, budgetMs: options.timeoutMs })
            })
          ),
          Effect.callback<Message, NoResponders>((resume) => {
            const takeBack = options.abandonOn?.(() => resume(Effect.fail(new NoResponders({ subject }))))
            return Effect.sync(() => takeBack?.())
          })
        )
    }
    const link = yield* Link.make(mesh)
    const session: Session = { mesh, servers: "nats://10.0.0.1:4222", timeoutMs: 5000, link }
    return {
      session,
      sent,
      published,
      lose: () => void (isUp = false),
      back: () => {
        isUp = true
        for (const handler of handlers) handler()
      }
    }
  })
