/**
 * Is there still somebody who talks as version 1 did?
 *
 * A member of version 1, made of what was recorded of one and of nothing else: no line of the present code is in it. It
 * keeps a session, claims slots, serves actors of the type `counter`, and asks others. What it is told and can't read,
 * it keeps for the test to look at.
 */
import { connect, type Msg, type NatsConnection } from "@nats-io/transport-node"
import { newId, route, unavailable, type V1Answer, type V1Ask } from "./v1Ask.ts"
import { isBody, isEnvelope, pack, toJson, unpack, type V1Envelope, type V1Reply, vectors } from "./v1Forms.ts"
import { askServer, readBucket, write } from "./V1Records.ts"
import * as V1Session from "./V1Session.ts"
import * as V1Slots from "./V1Slots.ts"

/** Where it joins, and as whom. */
export interface V1MemberOptions {
  readonly servers: string
  readonly hostId: string
  /** Members of version 1 refuse each other where it differs; the recorded one without it. */
  readonly configurationHash?: string
}

/** Something that version 1 can't read. */
interface Unreadable {
  readonly what: "message" | "answer" | "session" | "slot"
  readonly value: unknown
}

/** A member of version 1. */
export interface V1Member {
  readonly incarnation: string
  /** The slots that it holds now. */
  readonly slots: () => ReadonlySet<number>
  readonly ask: (ask: V1Ask) => Promise<V1Answer>
  /** What it was told and could not read; empty as long as the others keep to the protocol. */
  readonly received: () => ReadonlyArray<Unreadable>
  /**
   * Ends as a host does that is told to. The hosts that were recorded ended without giving their slots back, although
   * they knew how: with `givesBack` it does as they meant to.
   */
  readonly stop: (options?: { readonly givesBack?: boolean }) => Promise<void>
  /** Ends as a host does that crashes: its session runs out, its slots stay its own. */
  readonly kill: () => Promise<void>
}

const { success, undelivered } = {
  success: vectors.asks.commit.reply.value,
  undelivered: vectors.refusals.actorUnavailable.reply.value
}

// a stream that stands keeps the settings that it was created with
const nameInUse = 10058

const provision = async (nc: NatsConnection): Promise<void> => {
  for (const { subject, value } of [...vectors.streams.streams, ...vectors.streams.consumers]) {
    const { error } = await askServer(nc, subject, value)
    if (error !== undefined && error.err_code !== nameInUse) throw new Error(`${subject}: ${error.description}`)
  }
}

/** Version 1 compares the manifest's text: a field more is another manifest. */
const agreeOnManifest = async (nc: NatsConnection): Promise<void> => {
  const { headers, subject, value } = vectors.manifest
  await write(nc, { subject, headers, expect: 0, data: toJson(value) })
  const stored = (await readBucket(nc, "seamless-cluster")).find((record) => record.subject === subject)
  const theirs = JSON.stringify(stored?.value)
  if (theirs !== JSON.stringify(value)) throw new Error(`ClusterDisagreement: the manifest is ${theirs}`)
}

/** The actors of the type `counter`, in memory: they count from 0 again wherever they are started. */
const makeCounters = () => {
  const counts = new Map<number, Map<string, number>>()
  const refuse = ({ to: { key, type } }: V1Envelope, reason: string): V1Reply => ({
    ...undelivered,
    undelivered: unavailable(`${type}/${key}`, reason)
  })
  const handle = (slot: number, envelope: V1Envelope): V1Reply => {
    const { body, to } = envelope
    if (to.type !== "counter") return refuse(envelope, "no such type")
    if (!isBody(body)) return refuse(envelope, "the message has no body")
    if (body.message !== "add")
      return refuse(envelope, `message to counter can't be read: ${body.message} is not known`)
    const by: unknown = Object(body.payload).by
    if (!Number.isSafeInteger(by)) return refuse(envelope, "message counter.add can't be read: by is no integer")
    const ofSlot = counts.get(slot) ?? new Map<string, number>()
    const count = (ofSlot.get(to.key) ?? 0) + Number(by)
    counts.set(slot, ofSlot.set(to.key, count))
    return { ...success, body: { count } }
  }
  return { handle, forget: (slot: number) => void counts.delete(slot) }
}

const late = ({ to: { key, type } }: V1Envelope): V1Reply => {
  const { value } = vectors.refusals.deadlineExceeded.reply
  return { ...value, undelivered: { ...value.undelivered!, waitingFor: `${type}/${key}`, budgetMs: 0 } }
}

const openConnection = ({ hostId, servers }: V1MemberOptions): Promise<NatsConnection> =>
  connect({
    servers: servers.split(","),
    name: `seamless ${hostId}`,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
    noAsyncTraces: true
  })

/** A member that serves what it has claimed. */
const serve = async (nc: NatsConnection, options: V1MemberOptions): Promise<V1Member> => {
  const unread: Array<Unreadable> = []
  const keep = (what: Unreadable["what"]) => (value: unknown) => void unread.push({ what, value })
  await provision(nc)
  await agreeOnManifest(nc)
  const session = await V1Session.open(nc, {
    incarnation: newId(),
    hostId: options.hostId,
    configurationHash: options.configurationHash ?? vectors.session.created.value.configurationHash,
    onUnreadable: keep("session")
  })
  const counters = makeCounters()
  const onMessage = (slot: number, message: Msg): void => {
    // a host whose session lapsed drops what comes: the slot may be someone else's by now
    if (!session.isValid()) return
    const envelope = unpack(message.data)
    if (!isEnvelope(envelope)) return keep("message")(envelope)
    message.respond(pack(envelope.budgetMs > 0 ? counters.handle(slot, envelope) : late(envelope)))
  }
  const slots = await V1Slots.claim(nc, session, { onMessage, onLost: counters.forget, onUnreadable: keep("slot") })
  return {
    incarnation: session.incarnation,
    slots: slots.held,
    ask: (ask) => route(nc, ask, keep("answer")),
    received: () => unread,
    stop: async ({ givesBack = false } = {}) => {
      if (nc.isClosed()) return
      await (givesBack ? slots.giveBack() : slots.cease())
      await session.leave()
      await nc.drain()
    },
    kill: async () => {
      // not waited for: what is under way gets no answer any more
      void slots.cease()
      void session.cease()
      await nc.close()
    }
  }
}

/** Joins the cluster. Fails as version 1 does beside a member that it can't agree with. */
export const start = async (options: V1MemberOptions): Promise<V1Member> => {
  const nc = await openConnection(options)
  return serve(nc, options).catch(async (cause: unknown) => {
    await nc.close()
    return Promise.reject(cause)
  })
}
