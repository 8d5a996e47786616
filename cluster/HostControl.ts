/**
 * How does one host ask another, and nobody else?
 *
 * Each host listens on a subject of its own, on which its incarnation is named. The question is short and the wait for
 * its answer bounded: a host that stands still is told of as one, and holds up nobody.
 */
import { Effect, Layer, Option, Schema } from "effect"
import * as Codec from "../protocol/wire/Codec.ts"
import { HostUnreachable } from "../protocol/wire/AdminErrors.ts"
import { MalformedMessage, type MeshUnavailable } from "../protocol/wire/Errors.ts"
import { Header } from "../protocol/wire/Header.ts"
import type { SessionRecord } from "../protocol/wire/HostRecords.ts"
import { HostRequest, hostVerbs } from "../protocol/wire/HostRequest.ts"
import * as ActorSubject from "../protocol/wire/ActorSubject.ts"
import type { HostStatus } from "../runtime/HostStatus.ts"
import type { Mesh, Message } from "../runtime/Mesh.ts"
import { errorReply, jsonReply, type Respond, serve } from "../runtime/ServiceEndpoint.ts"
import { busiest } from "./adminReports.ts"
import { HostSession } from "./HostSession.ts"
import { LocalActors } from "./LocalActors.ts"

/** A verb between hosts. */
interface Verb<Request, Answer> {
  readonly verb: HostRequest["verb"]
  readonly request: Schema.Codec<Request>
  readonly answer: Schema.Codec<Answer>
}

/** What a host is asked. */
interface Question<Request, Answer> {
  readonly ask: Verb<Request, Answer>
  readonly request: Request
  readonly timeoutMs: number
}

const refusalOf = ({ data, headers }: Message): string | undefined => {
  const tag = headers.get(Header.error)
  if (tag === undefined) return undefined
  const body = Option.flatMap(Codec.fromJson(data), decodeRefusal)
  return Option.match(body, { onNone: () => tag, onSome: ({ error }) => error.message })
}

const decodeRefusal = Schema.decodeUnknownOption(Schema.Struct({ error: Schema.Struct({ message: Schema.String }) }))

/** Asks one host, and gives its answer. */
export const askHost = <Request, Answer>(
  mesh: Mesh["Service"],
  { hostId: host, incarnation }: SessionRecord,
  { ask, request, timeoutMs }: Question<Request, Answer>
): Effect.Effect<Answer, HostUnreachable> => {
  const unreachable = (reason: string) => new HostUnreachable({ host, reason })
  const sent = mesh.request(ActorSubject.host(incarnation), Codec.toJson({ verb: ask.verb, request }), { timeoutMs })
  return sent.pipe(
    Effect.catchTags({
      NoResponders: () => Effect.fail(unreachable("nobody listens on its subject")),
      DeadlineExceeded: () => Effect.fail(unreachable(`no answer within ${timeoutMs} ms`)),
      MeshUnavailable: ({ message }) => Effect.fail(unreachable(message))
    }),
    Effect.flatMap((reply) => {
      const refusal = refusalOf(reply)
      if (refusal !== undefined) return Effect.fail(unreachable(refusal))
      const answer = Option.flatMap(Codec.fromJson(reply.data), Schema.decodeUnknownOption(ask.answer))
      return Option.match(answer, {
        onNone: () => Effect.fail(unreachable("its answer can't be read")),
        onSome: Effect.succeed
      })
    })
  )
}

const malformed = (problem: string) => new MalformedMessage({ what: "request of a host", problem })

const decodeRequest = Schema.decodeUnknownOption(HostRequest)

/** The answer to the requests of one verb. */
const answering = <Request, Answer>(
  { request: form, verb }: Verb<Request, Answer>,
  perform: (request: Request) => Effect.Effect<Answer>
) => {
  const decode = Schema.decodeUnknownEffect(form)
  return (request: unknown): Effect.Effect<unknown, MalformedMessage> =>
    decode(request).pipe(
      Effect.mapError(({ message }) => malformed(`${verb}: ${message}`)),
      Effect.flatMap(perform)
    )
}

const answers = ({ actors, drain, release, report }: LocalActors["Service"]) => ({
  report: answering(hostVerbs.report, () => Effect.sync(report)),
  actors: answering(hostVerbs.actors, ({ top, type }) =>
    Effect.sync(() => {
      const chosen = actors().filter((actor) => type === undefined || actor.type === type)
      return {
        actors: busiest(chosen, top),
        residents: chosen.filter(({ state }) => state !== "stopped").length
      }
    })
  ),
  drain: answering(hostVerbs.drain, () => drain),
  release: answering(hostVerbs.release, (address) => Effect.map(release(address), (had) => ({ had })))
})

const make = Effect.gen(function* () {
  const { incarnation } = yield* HostSession
  const byVerb = answers(yield* LocalActors)
  const respond: Respond = ({ data }) =>
    Option.match(Option.flatMap(Codec.fromJson(data), decodeRequest), {
      onNone: () => Effect.fail(malformed("it is no request that this build knows")),
      onSome: ({ request, verb }) => byVerb[verb](request)
    }).pipe(
      Effect.map(jsonReply),
      Effect.catch((error) => Effect.succeed(errorReply(error)))
    )
  yield* serve(new Map([[ActorSubject.host(incarnation), respond]]), { isShared: false, isServedDraining: true })
})

/** Answers what other hosts ask of this one, as long as the layer lives. */
export const layer: Layer.Layer<never, MeshUnavailable, Mesh | HostSession | LocalActors | HostStatus> =
  Layer.effectDiscard(make)
