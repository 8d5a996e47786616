/** How is a message kept upon which an actor failed, and how does it come back? */
import { Clock, Effect, Option, Schema } from "effect"
import * as Codec from "../protocol/wire/Codec.ts"
import { DeadLetter, deadLetters } from "../protocol/wire/DeadLetter.ts"
import type { MeshUnavailable } from "../protocol/wire/Errors.ts"
import * as ActorSubject from "../protocol/wire/ActorSubject.ts"
import type { Mesh, Stored } from "./Mesh.ts"
import type { Work } from "./Work.ts"

/** What is known of a failure, beside the message. */
export interface Failing {
  readonly reason: string
  readonly trace: string
  readonly epoch: number
  readonly label: string
  readonly hostId: string
}

/** Lines of a trace that are kept: those at the top say where. */
const traceLinesMax = 30
/** Letters that are listed: more than anyone reads, and less than holds up a host. */
const listedMax = 1000
/** Letters that are decoded before the host does something else: payloads may be large. */
const decodedAtOnce = 20

const encode = Schema.encodeSync(DeadLetter)
const decode = Schema.decodeUnknownOption(DeadLetter)

/** Keeps the message. One that is kept already stays as it is. */
export const bury = Effect.fnUntraced(function* (
  mesh: Mesh["Service"],
  { envelope, incoming }: Work,
  failing: Failing
) {
  const { cause, id, message, payload, traceParent } = incoming
  const letter: DeadLetter = {
    format: 1,
    ...failing,
    trace: failing.trace.split("\n").slice(0, traceLinesMax).join("\n"),
    id,
    to: envelope.to,
    message,
    payload,
    cause,
    traceParent,
    at: yield* Clock.currentTimeMillis
  }
  const written = mesh.write(ActorSubject.deadLetter(envelope.to, id), Codec.toJson(encode(letter)), { expect: 0 })
  yield* Effect.catchTag(written, "RevisionConflict", () => Effect.void)
})

const letterIn = ({ value }: Stored): ReadonlyArray<DeadLetter> =>
  Option.toArray(Option.flatMap(Option.flatMap(value, Codec.fromJson), decode))

/** What there is of letters. */
export interface LetterList {
  /** The newest, the newest last. */
  readonly letters: ReadonlyArray<DeadLetter>
  /** How many there are in all. */
  readonly total: number
}

/** The newest letters of one type, or of all. However many there are, the host does other things in between. */
export const list = Effect.fnUntraced(function* (
  mesh: Mesh["Service"],
  type: string | undefined
): Effect.fn.Return<LetterList, MeshUnavailable> {
  const stored = yield* mesh.readMany(deadLetters.name, [ActorSubject.deadLettersOf(type)])
  const newest = stored.toSorted((a, b) => a.revision - b.revision).slice(-listedMax)
  const letters: Array<DeadLetter> = []
  for (let from = 0; from < newest.length; from += decodedAtOnce) {
    for (const each of newest.slice(from, from + decodedAtOnce)) letters.push(...letterIn(each))
    yield* Effect.yieldNow
  }
  return { letters, total: stored.length }
})

/** The letters of that id, one of each actor that has one. */
export const withId = (mesh: Mesh["Service"], id: string): Effect.Effect<ReadonlyArray<DeadLetter>, MeshUnavailable> =>
  Effect.map(mesh.readMany(deadLetters.name, [ActorSubject.deadLettersById(id)]), (stored) => stored.flatMap(letterIn))

/** Removes a letter. */
export const remove = (mesh: Mesh["Service"], { id, to }: DeadLetter): Effect.Effect<void, MeshUnavailable> =>
  mesh.dequeue(deadLetters.name, ActorSubject.deadLetter(to, id))
