/**
 * What can an operator ask of the cluster, and who answers?
 *
 * Any host: it reads the records, asks each host what only that one knows, and puts together what comes. A host that
 * drains answers on, since it is then that one is asked most.
 */
import { Effect, Layer } from "effect"
import { admin, type HostAdminVerb } from "../protocol/wire/Admin.ts"
import { AmbiguousLetter, HostUnreachable, UnknownLetter } from "../protocol/wire/AdminErrors.ts"
import { type Address, addressText } from "../protocol/wire/Envelope.ts"
import type { MeshUnavailable } from "../protocol/wire/Errors.ts"
import type { SessionRecord } from "../protocol/wire/HostRecords.ts"
import { hostVerbs } from "../protocol/wire/HostRequest.ts"
import { ActorSystem } from "../runtime/ActorSystem.ts"
import * as AdminEndpoint from "../runtime/AdminEndpoint.ts"
import * as DeadLetters from "../runtime/DeadLetters.ts"
import { withBudget } from "../runtime/Deadline.ts"
import type { HostStatus } from "../runtime/HostStatus.ts"
import { headroomBytes, Mesh } from "../runtime/Mesh.ts"
import type { Respond } from "../runtime/ServiceEndpoint.ts"
import { busiest, canAnswer, findHost, hostReports, newestWithin, numberOf, slotReports } from "./adminReports.ts"
import * as HostControl from "./HostControl.ts"
import { HostSession } from "./HostSession.ts"
import type { LocalActors } from "./LocalActors.ts"
import { slotOf } from "./Placement.ts"
import { raiseEpoch } from "./releaseActor.ts"
import { readSlots } from "./SlotRecords.ts"

/** How long one host may take to tell of itself. */
const tellWithinMs = 1000
/** How long one host may take to stop an actor: it lets it finish what it is at for a second. */
const stopWithinMs = 2000
/** How long a drain may take: a host gives up what it could not hand over before that. */
const drainWithinMs = 15_000
/** How long a message that is replayed may take. */
const replayWithinMs = 10_000
/** What a verb may take beyond what it waits for. */
const marginMs = 2000
/** Hosts that are asked at once. */
const asksMax = 64
const topDefault = 50

/** What the verbs rest on. */
interface Ground {
  readonly mesh: Mesh["Service"]
  readonly session: HostSession["Service"]
  readonly system: ActorSystem["Service"]
}

const recordsOf = ({ mesh, session }: Ground) =>
  Effect.map(Effect.all([session.live, readSlots(mesh)], { concurrency: 2 }), ([live, slots]) => ({
    live,
    slots: Array.from(slots.values())
  }))

/** What of these hosts those said that answered, by incarnation. */
const askAll = <Answer>(
  hosts: ReadonlyArray<SessionRecord>,
  ask: (host: SessionRecord) => Effect.Effect<Answer, HostUnreachable>
): Effect.Effect<ReadonlyMap<string, Answer>> =>
  Effect.forEach(
    hosts.filter(canAnswer),
    (host) =>
      Effect.match(ask(host), {
        onFailure: () => [],
        onSuccess: (answer) => [[host.incarnation, answer] as const]
      }),
    { concurrency: asksMax }
  ).pipe(Effect.map((answers) => new Map(answers.flat())))

const hosts = Effect.fnUntraced(function* (ground: Ground) {
  const records = yield* recordsOf(ground)
  const ask = hostVerbs.report
  const told = yield* askAll(records.live, (host) =>
    HostControl.askHost(ground.mesh, host, { ask, request: {}, timeoutMs: tellWithinMs })
  )
  return { hosts: hostReports(records, told) }
})

const actors = Effect.fnUntraced(function* (
  { mesh, session }: Ground,
  { top = topDefault, type }: { readonly type?: string; readonly top?: number }
) {
  const live = yield* session.live
  const request = { top, ...(type !== undefined && { type }) }
  const told = yield* askAll(live, (host) =>
    HostControl.askHost(mesh, host, { ask: hostVerbs.actors, request, timeoutMs: tellWithinMs })
  )
  const answers = Array.from(told.values())
  return {
    actors: busiest(
      answers.flatMap((answer) => answer.actors),
      top
    ),
    residents: answers.reduce((sum, { residents }) => sum + residents, 0),
    silent: live.filter(({ incarnation }) => !told.has(incarnation)).map(({ hostId }) => hostId)
  }
})

const drain = Effect.fnUntraced(function* ({ mesh, session }: Ground, named: { readonly host: string }) {
  const host = yield* Effect.fromResult(findHost(yield* session.live, named.host))
  const { hostId, incarnation } = host
  if (!canAnswer(host)) {
    return yield* new HostUnreachable({ host: hostId, reason: "it is of version 1, which ends by being stopped" })
  }
  const ask = hostVerbs.drain
  const figures = yield* HostControl.askHost(mesh, host, { ask, request: {}, timeoutMs: drainWithinMs })
  return { hostId, incarnation, ...figures }
})

const release = Effect.fnUntraced(function* (ground: Ground, address: Address) {
  const { live, slots } = yield* recordsOf(ground)
  // which label its type has only its own hosts know: of each label the slot of that number may be the one
  const number = slotOf(address)
  const owners = new Set(slots.filter(({ slot }) => numberOf(slot) === number).map(({ owner }) => owner))
  const told = yield* askAll(
    live.filter(({ incarnation }) => owners.has(incarnation)),
    (host) =>
      HostControl.askHost(ground.mesh, host, { ask: hostVerbs.release, request: address, timeoutMs: stopWithinMs })
  )
  const wasStopped = Array.from(told.values()).some(({ had = false }) => had)
  // last, so that what it saved while it finished does not stand above this
  const epoch = yield* raiseEpoch(ground.mesh, address).pipe(
    // without a record there is nobody to fence: it was stopped, and that is all that a release is
    Effect.catchTag("UnknownActor", (unknown) => (wasStopped ? Effect.succeed(0) : Effect.fail(unknown)))
  )
  return { ...address, epoch }
})

const letters = Effect.fnUntraced(function* ({ mesh }: Ground, { type }: { readonly type?: string }) {
  const { letters: newest, total } = yield* DeadLetters.list(mesh, type)
  return { letters: newestWithin(newest, mesh.payloadBytesMax() - headroomBytes), total }
})

/**
 * Sends the letter's message again, under its own id. Its end is waited for: a letter that is removed any sooner is
 * lost where the actor fails upon it again.
 */
const replay = Effect.fnUntraced(function* ({ mesh, system }: Ground, { id }: { readonly id: string }) {
  const [letter, ...others] = yield* DeadLetters.withId(mesh, id)
  if (letter === undefined) return yield* new UnknownLetter({ id })
  if (others.length > 0) {
    const addresses = [letter, ...others].map(({ to }) => addressText(to)).toSorted()
    return yield* new AmbiguousLetter({ id, addresses })
  }
  const { cause, label, message, payload, to } = letter
  yield* system
    .deliver({ to, label }, { message, payload }, { operationId: id, cause })
    .pipe(withBudget(replayWithinMs))
  yield* DeadLetters.remove(mesh, letter)
  return { id, ...to }
})

const make = Effect.gen(function* () {
  const mesh = yield* Mesh
  const ground: Ground = { mesh, session: yield* HostSession, system: yield* ActorSystem }
  const respond = AdminEndpoint.responder(mesh)
  const verbs: Readonly<Record<HostAdminVerb, Respond>> = {
    hosts: respond("hosts", admin.hosts, () => hosts(ground)),
    slots: respond("slots", admin.slots, () =>
      Effect.map(recordsOf(ground), (records) => ({ slots: slotReports(records) }))
    ),
    actors: respond("actors", admin.actors, (request) => actors(ground, request)),
    drain: respond("drain", admin.drain, (request) => drain(ground, request), {
      isChanging: true,
      withinMs: drainWithinMs + marginMs
    }),
    release: respond("release", admin.release, (request) => release(ground, request), { isChanging: true }),
    letters: respond("letters", admin.letters, (request) => letters(ground, request)),
    replay: respond("replay", admin.replay, (request) => replay(ground, request), {
      isChanging: true,
      withinMs: replayWithinMs + marginMs
    })
  }
  yield* AdminEndpoint.serve(verbs)
})

/** Answers operators, and the other hosts that ask for them, as long as the layer lives. */
export const layer: Layer.Layer<never, MeshUnavailable, Mesh | HostSession | LocalActors | ActorSystem | HostStatus> =
  Layer.mergeAll(HostControl.layer, Layer.effectDiscard(make))
