/**
 * How did a host of version 1 show that it lives, and how did it see that others do?
 *
 * One key with a time to live of 3 seconds, written again each second by compare-and-set. A host that is absent from
 * the sessions is taken for dead only by one whose own renewals were unbroken for a whole time to live.
 */
import type { NatsConnection } from "@nats-io/transport-node"
import { setTimeout as sleep } from "node:timers/promises"
import { isSessionRecord, toJson, type V1SessionRecord, vectors } from "./v1Forms.ts"
import { readBucket, revisionOf, write } from "./V1Records.ts"

/** Who the host is. */
export interface V1SessionOptions {
  readonly incarnation: string
  readonly hostId: string
  readonly configurationHash: string
  /** Hears of each session that version 1 can't read. */
  readonly onUnreadable: (value: unknown) => void
}

/** A session that stands. */
export interface V1Session {
  readonly incarnation: string
  readonly isValid: () => boolean
  readonly mayBury: () => boolean
  readonly live: () => Promise<ReadonlyArray<V1SessionRecord>>
  /** Ends the renewals. */
  readonly cease: () => Promise<void>
  /** Ends the session itself, behind its renewals. */
  readonly leave: () => Promise<void>
}

const { created, left, renewEveryMs, renewed, ttlSeconds } = vectors.session
const ttlMs = ttlSeconds * 1000
const bucket = "seamless-sessions"

/** The sessions that stand. */
const listLive = async (
  nc: NatsConnection,
  onUnreadable: (value: unknown) => void
): Promise<ReadonlyArray<V1SessionRecord>> => {
  const standing = (await readBucket(nc, bucket)).filter(({ value }) => value !== undefined)
  for (const { value } of standing) if (!isSessionRecord(value)) onUnreadable(value)
  return standing.map(({ value }) => value).filter(isSessionRecord)
}

const refuseDisagreement = (
  live: ReadonlyArray<V1SessionRecord>,
  { configurationHash, incarnation }: V1SessionOptions
): void => {
  const other = live.find(
    (session) => session.incarnation !== incarnation && session.configurationHash !== configurationHash
  )
  if (other !== undefined) throw new Error(`ClusterDisagreement: host ${other.hostId} has another configuration`)
}

/** Opens a session and renews it until it ceases. Refuses to stand beside a host with another configuration. */
export const open = async (nc: NatsConnection, options: V1SessionOptions): Promise<V1Session> => {
  const { configurationHash, hostId, incarnation, onUnreadable } = options
  const subject = created.subject.replace(created.value.incarnation, incarnation)
  const data = toJson({ ...created.value, incarnation, hostId, configurationHash, startedAt: Date.now() })
  const ceased = new AbortController()
  let revision = 0
  let lastSentMs = -Infinity
  let unbrokenSinceMs = Infinity

  const isValid = (): boolean => performance.now() - lastSentMs < ttlMs
  const send = async (expect: number): Promise<boolean> => {
    const sentMs = performance.now()
    const { headers } = expect === 0 ? created : renewed
    const written = await write(nc, { subject, headers, expect, data })
    if (written === "conflict") return false
    ;({ revision } = written)
    if (sentMs - lastSentMs >= ttlMs) unbrokenSinceMs = sentMs
    lastSentMs = sentMs
    return true
  }
  const renew = async (): Promise<void> => {
    if (!(await send(revision))) await send(await revisionOf(nc, `KV_${bucket}`, subject))
  }
  const keepRenewing = async (): Promise<void> => {
    while (!ceased.signal.aborted) {
      await sleep(renewEveryMs, undefined, { signal: ceased.signal }).catch(() => undefined)
      // version 1 tells its log, and tries again a second later
      if (!ceased.signal.aborted) await renew().catch(() => undefined)
    }
  }

  if (!(await send(0))) throw new Error(`the incarnation ${incarnation} has a session already`)
  refuseDisagreement(await listLive(nc, onUnreadable), options)
  const renewals = keepRenewing()
  const cease = (): Promise<void> => {
    ceased.abort()
    return renewals
  }
  return {
    incarnation,
    isValid,
    mayBury: () => isValid() && performance.now() - unbrokenSinceMs >= ttlMs,
    live: () => listLive(nc, onUnreadable),
    cease,
    leave: async () => {
      await cease()
      await write(nc, { subject, headers: left.headers, expect: revision, data: new Uint8Array(0) })
    }
  }
}
