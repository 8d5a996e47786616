/**
 * Who gets which message?
 *
 * Subscriptions with wildcards and groups, of clients that come and go. Each message is handed on in the order in which
 * it was sent: what a handler sends while it is called waits its turn.
 */
import type { Headers } from "../Mesh.ts"
import * as SubjectIndex from "./SubjectIndex.ts"

/** A message on its way to a subscription. */
export interface Packet {
  readonly subject: string
  readonly data: Uint8Array
  readonly headers: () => Headers
  /** Where an answer goes; undefined where nobody asked. */
  readonly reply: { readonly to: string; readonly send: (data: Uint8Array, headers: Headers) => void } | undefined
}

/** One subscription of a client. */
export interface Subscription {
  readonly client: string
  readonly subject: string
  readonly group: string | undefined
  readonly deliver: (packet: Packet) => void
}

/** The messages part of a server. */
export interface Subscriptions {
  readonly add: (subscription: Subscription) => void
  readonly remove: (subscription: Subscription) => void
  /** Hands a message on; `make` is asked only where somebody listens. Gives whether anyone does. */
  readonly publish: (subject: string, make: () => Packet) => boolean
  /** Says something to a client, behind all that was said before; nothing where its connection is lost. */
  readonly say: (client: string, what: () => void) => void
  /** Loses the client's connection: what is said to it is lost, and its subscriptions count no more. */
  readonly disconnect: (client: string) => void
  /** Has it back, with the subscriptions that it still has. */
  readonly reconnect: (client: string) => void
  /** Forgets a client that is gone for good. */
  readonly forget: (client: string) => void
}

/** Who gets a message: these, and of each group one. */
interface Audience {
  readonly all: ReadonlyArray<Subscription>
  readonly groups: ReadonlyArray<ReadonlyArray<Subscription>>
}

const audienceOf = (found: ReadonlyArray<Subscription>): Audience => {
  const groups = new Map<string, Array<Subscription>>()
  for (const one of found) {
    if (one.group === undefined) continue
    const members = groups.get(one.group)
    if (members === undefined) groups.set(one.group, [one])
    else members.push(one)
  }
  return { all: found.filter(({ group }) => group === undefined), groups: Array.from(groups.values()) }
}

/** Does one thing after the other, also what comes up meanwhile. */
const makeOutbox = () => {
  const waiting: Array<() => void> = []
  let isBusy = false
  return {
    add: (act: () => void): void => void waiting.push(act),
    flush: (): void => {
      if (isBusy) return
      isBusy = true
      // grows while it is gone through
      for (let at = 0; at < waiting.length; at++) waiting[at]!()
      waiting.length = 0
      isBusy = false
    }
  }
}

/** No subscription yet; `pick` says which member of a group gets a message. */
export const make = (pick: (count: number) => number): Subscriptions => {
  const index = SubjectIndex.make(audienceOf)
  const byClient = new Map<string, Set<Subscription>>()
  const away = new Set<string>()
  const outbox = makeOutbox()
  const ofClient = (client: string): Set<Subscription> => {
    const known = byClient.get(client) ?? new Set()
    byClient.set(client, known)
    return known
  }
  const send = ({ client, deliver }: Subscription, packet: Packet): void => {
    if (!away.has(client)) outbox.add(() => deliver(packet))
  }
  const remove = (subscription: Subscription): void => {
    index.remove(subscription.subject, subscription)
    byClient.get(subscription.client)?.delete(subscription)
  }
  const disconnect = (client: string): void => {
    away.add(client)
    for (const one of ofClient(client)) index.remove(one.subject, one)
  }
  return {
    add: (subscription) => {
      ofClient(subscription.client).add(subscription)
      if (!away.has(subscription.client)) index.add(subscription.subject, subscription)
    },
    remove,
    publish: (subject, makePacket) => {
      const { all, groups } = index.of(subject)
      if (all.length + groups.length === 0) return false
      const packet = makePacket()
      for (const one of all) send(one, packet)
      for (const members of groups) send(members[members.length === 1 ? 0 : pick(members.length)]!, packet)
      outbox.flush()
      return true
    },
    say: (client, what) => {
      if (away.has(client)) return
      outbox.add(what)
      outbox.flush()
    },
    disconnect,
    reconnect: (client) => {
      away.delete(client)
      for (const one of ofClient(client)) index.add(one.subject, one)
    },
    forget: (client) => {
      disconnect(client)
      byClient.delete(client)
    }
  }
}
