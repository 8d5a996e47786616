/**
 * What is the port like over a simulated server?
 *
 * Each operation travels over a link, which does with it what the network does, and ends within the bound that it has
 * over a real connection (runtime/nats).
 */
import { Effect, Layer, Option, Schedule } from "effect"
import { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import { type Delivery, Mesh, type MeshShape, RevisionConflict } from "../Mesh.ts"
import type { Answer } from "./Answer.ts"
import { ask } from "./Exchange.ts"
import type { Taken } from "./JobQueue.ts"
import type { Link, Parcel } from "./Link.ts"
import { isTooLarge, tooLarge, writeHeaders } from "./Payload.ts"
import type { SimulatedServer } from "./SimulatedServer.ts"
import { hasWildcard } from "./SubjectIndex.ts"
import * as Talk from "./Talk.ts"

// as in runtime/nats/KeyValue.ts
const writeTimeoutMs = 2000
const readTimeoutMs = 5000
// what the client library has for what it is told nothing else
const libraryTimeoutMs = 5000
// as in runtime/nats/provision.ts
const untilLeader = Schedule.upTo(Schedule.spaced("500 millis"), { duration: "30 seconds" })
// two heartbeats of a pull that did not come; what is far away takes its time
const heartbeatsMissedMs = 1500
const heartbeatsMissedDownMs = 1000

/** Tokens with something in them, and nothing that the protocol's own lines are cut by. */
const isSubject = (subject: string): boolean => /^[^\s.]+(\.[^\s.]+)*$/.test(subject)
const noSubject = "InvalidSubjectError: illegal subject"

const down = "Error: the connection is down"

const doNothing = (): void => undefined

const failing = (operation: string) => (reason: string) => Effect.fail(new MeshUnavailable({ operation, reason }))

const records = (client: Talk.Client): Pick<MeshShape, "provision" | "write" | "read" | "readMany" | "dequeue"> => {
  const { link, name, server } = client
  return {
    provision: (streams) =>
      ask(client, {
        parcel: { kind: "write", subject: "$JS.API.STREAM.CREATE" },
        boundMs: libraryTimeoutMs,
        act: () => server.provision(streams),
        onDone: Effect.succeed,
        onRefused: failing("set up streams")
      }).pipe(Effect.retry(untilLeader)),
    write: (subject, data, options = {}) =>
      Effect.suspend(() => {
        const fails = failing(`write ${subject}`)
        if (!link.isUp()) return fails(down)
        if (!isSubject(subject)) return fails(noSubject)
        if (isTooLarge(server.payloadBytesMax, data, () => writeHeaders(options))) return fails(tooLarge)
        return ask(client, {
          parcel: { kind: "write", subject },
          boundMs: writeTimeoutMs,
          act: () => server.write({ client: name, subject, data }, options),
          onDone: (revision) => Effect.succeed(revision),
          onRefused: fails,
          onConflict: () => Effect.fail(new RevisionConflict({ subject }))
        })
      }),
    read: (stream, subject) =>
      Effect.suspend(() => {
        const fails = failing(`read ${subject}`)
        if (!link.isUp()) return fails(down)
        if (!isSubject(subject) || hasWildcard(subject)) return fails(noSubject)
        return ask(client, {
          parcel: { kind: "read", subject },
          boundMs: readTimeoutMs,
          act: () => server.read({ stream, lagMs: link.readLagMs("read") }, subject),
          onDone: (stored) => Effect.succeed(stored),
          onRefused: fails
        })
      }),
    readMany: (stream, subjects) =>
      subjects.length === 0
        ? Effect.succeed([])
        : ask(client, {
            parcel: { kind: "readMany", subject: stream },
            boundMs: readTimeoutMs,
            act: () => server.readMany({ stream, lagMs: link.readLagMs("readMany") }, subjects),
            onDone: (many) => Effect.succeed(many),
            onRefused: failing(`read of ${stream}`)
          }),
    dequeue: (stream, subject) =>
      ask(client, {
        parcel: { kind: "queue", subject },
        boundMs: libraryTimeoutMs,
        act: () => server.dequeue(stream, subject),
        onDone: () => Effect.void,
        onRefused: failing(`dequeue ${subject}`)
      })
  }
}

const history =
  (client: Talk.Client): MeshShape["history"] =>
  (stream, subject, options = {}) =>
    Effect.suspend(() => {
      const { link, server } = client
      const fails = failing(`read history of ${subject}`)
      if (!link.isUp()) return fails(down)
      if (!isSubject(subject)) return fails(noSubject)
      return ask(client, {
        parcel: { kind: "readMany", subject },
        boundMs: readTimeoutMs,
        act: () => server.history({ stream, lagMs: link.readLagMs("readMany") }, subject, options),
        onDone: (page) => Effect.succeed(page),
        onRefused: fails
      })
    })

/** What is kept, by name, and the removal of one of it. */
const kept = (client: Talk.Client): Pick<MeshShape, "names" | "remove"> => ({
  names: (stream, subject, options = {}) =>
    ask(client, {
      parcel: { kind: "readMany", subject },
      boundMs: readTimeoutMs,
      act: () => client.server.names({ stream, lagMs: client.link.readLagMs("readMany") }, subject, options),
      onDone: (page) => Effect.succeed(page),
      onRefused: failing(`read names of ${subject}`)
    }),
  remove: (stream, revision) =>
    ask(client, {
      parcel: { kind: "write", subject: stream },
      boundMs: libraryTimeoutMs,
      act: () => client.server.remove(stream, revision),
      onDone: () => Effect.void,
      onRefused: failing(`remove ${revision} of ${stream}`)
    })
})

const deliveryOf = ({ link }: Talk.Client, { done, later, subject, working }: Taken): Delivery => {
  const tell = (act: () => void) =>
    Effect.sync(() => {
      if (link.isUp()) link.carry("toServer", { kind: "queue", subject }, act)
    })
  return { subject, working: tell(working), later: tell(later), done: tell(done) }
}

const take =
  (client: Talk.Client): MeshShape["take"] =>
  (stream, jobClass, { isPatient = true } = {}) =>
    Effect.callback((resume) => {
      const { link, name, onLost, say, server } = client
      const parcel: Parcel = { kind: "queue", subject: stream }
      let isOver = false
      let cancel = doNothing
      const end = (outcome: Effect.Effect<Option.Option<Delivery>, MeshUnavailable>): void => {
        if (isOver) return
        isOver = true
        cancel()
        onLost.delete(pull)
        resume(outcome)
      }
      const fails = failing(`take from ${stream}`)
      const tell = (outcome: Effect.Effect<Option.Option<Delivery>, MeshUnavailable>): void =>
        say(() => link.carry("toProcess", { kind: "answer", subject: stream }, () => end(outcome)))
      const answer = (taken: Taken | undefined): void =>
        tell(Effect.succeed(taken === undefined ? Option.none() : Option.some(deliveryOf(client, taken))))
      const act = (): void => {
        const accepted: Answer<void> = server.take(stream, { client: name, jobClass, isPatient, answer })
        if (accepted._tag === "Refused") tell(fails(accepted.reason))
      }
      // asked again over each connection: what waited on the one before is gone with it
      const pull = (): void => {
        cancel()
        if (link.isUp()) link.carry("toServer", parcel, act)
        if (!isOver) cancel = link.after(link.isUp() ? heartbeatsMissedMs : heartbeatsMissedDownMs, onSilence)
      }
      const wasUp = link.isUp()
      // a pull that was there when the connection was lost waits for the next one
      const onSilence = (): void => {
        if (link.isUp() || !wasUp) end(fails("JetStreamError: heartbeats missed"))
      }
      onLost.add(pull)
      pull()
      return Effect.sync(() => {
        isOver = true
        cancel()
        onLost.delete(pull)
      })
    })

const enqueue =
  (client: Talk.Client): MeshShape["enqueue"] =>
  (subject, data) =>
    Effect.suspend(() => {
      const { name, server } = client
      const fails = failing(`enqueue ${subject}`)
      if (isTooLarge(server.payloadBytesMax, data, () => [])) return fails(tooLarge)
      return ask(client, {
        parcel: { kind: "queue", subject },
        boundMs: libraryTimeoutMs,
        act: () => server.enqueue({ client: name, subject, data }),
        onDone: () => Effect.void,
        onRefused: fails
      })
    })

/** The port of one client of a server. */
export const make = (server: SimulatedServer, link: Link, clientName: string): MeshShape => {
  const onLost = new Set<() => void>()
  const client: Talk.Client = {
    link,
    server,
    name: clientName,
    onLost,
    asked: 0,
    say: (what) => server.say(clientName, what)
  }
  server.reconnect(clientName)
  // before anyone else hears of it: whoever asks upon it relies on the subscriptions
  link.onReconnect(() => {
    server.reconnect(clientName)
    for (const lost of Array.from(onLost)) lost()
  })
  return {
    ...Talk.make(client),
    ...records(client),
    history: history(client),
    ...kept(client),
    enqueue: enqueue(client),
    take: take(client),
    payloadBytesMax: () => server.payloadBytesMax
  }
}

/** The port of one client, which the server forgets with the scope. */
export const layer = (server: SimulatedServer, link: Link, clientName: string): Layer.Layer<Mesh> =>
  Layer.effect(
    Mesh,
    Effect.acquireRelease(
      Effect.sync(() => Mesh.of(make(server, link, clientName))),
      () => Effect.sync(() => server.forget(clientName))
    )
  )
