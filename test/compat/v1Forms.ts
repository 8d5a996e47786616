/**
 * What did a member of version 1 say, and how did it read what it was told?
 *
 * Every form is a recorded one (see v1/README.md) with some fields replaced, so nothing here knows how the present code
 * writes. Reading is as strict as version 1 was: the fields that it knew have to be there, others are passed over.
 */
import { readFileSync } from "node:fs"
import { Packr } from "msgpackr"

/** Something that was published, or stored. */
export interface Recorded<A = Readonly<Record<string, unknown>>> {
  readonly subject: string
  readonly headers: Readonly<Record<string, string>>
  readonly base64: string
  readonly value: A
}

/** A message to an actor. */
export interface V1Envelope {
  readonly format: number
  readonly to: { readonly type: string; readonly key: string }
  readonly id: string
  readonly cause: string
  readonly budgetMs: number
  readonly body: unknown
}

/** What a host answers. */
export interface V1Reply {
  readonly format: number
  readonly body?: unknown
  readonly error?: unknown
  readonly undelivered?: V1Undelivered
}

/** Why an actor did not answer. */
export interface V1Undelivered {
  readonly _tag: string
  readonly [field: string]: unknown
}

/** A host's session. */
export interface V1SessionRecord {
  readonly incarnation: string
  readonly hostId: string
  readonly configurationHash: string
  readonly protocolVersion: number
  readonly startedAt: number
}

/** Who owns a slot. */
export interface V1SlotValue {
  readonly owner: string
  readonly slotEpoch: number
}

/** An ask and its answer. */
interface Exchange {
  readonly request: Recorded<V1Envelope>
  readonly reply: Omit<Recorded<V1Reply>, "subject">
}

type Refusal =
  | "declaredFailure"
  | "mailboxFull"
  | "actorUnavailable"
  | "messageUnknown"
  | "withoutBody"
  | "deadlineExceeded"

/** The files of v1/, by their names. */
interface Vectors {
  readonly asks: Readonly<Record<"ensure" | "commit", Exchange>>
  readonly coverageState: Readonly<Record<"created" | "committed", Recorded>>
  readonly manifest: Recorded
  readonly placement: {
    readonly addresses: ReadonlyArray<{ readonly type: string; readonly key: string; readonly slot: number }>
  }
  readonly refusals: Readonly<Record<Refusal, Exchange>>
  readonly session: {
    readonly ttlSeconds: number
    readonly renewEveryMs: number
    readonly created: Recorded<V1SessionRecord>
    readonly renewed: Recorded<V1SessionRecord>
    readonly left: Omit<Recorded, "value">
    readonly ranOut: Omit<Recorded, "value">
  }
  readonly slots: {
    readonly checkEveryMs: number
    readonly firstClaimed: Recorded<V1SlotValue>
    readonly takenOver: Recorded<V1SlotValue>
    readonly takenOverAgain: Recorded<V1SlotValue>
    readonly givenBack: Recorded<V1SlotValue>
    readonly claimedAfterGivenBack: Recorded<V1SlotValue>
    /** By incarnation: how two hosts divided the slots of a third. */
    readonly split: Readonly<Record<string, ReadonlyArray<number>>>
  }
  readonly streams: Readonly<Record<"streams" | "consumers", ReadonlyArray<Pick<Recorded, "subject" | "value">>>>
}

const load = <Name extends keyof Vectors>(name: Name): Vectors[Name] =>
  JSON.parse(readFileSync(new URL(`./v1/${name}.json`, import.meta.url), "utf8"))

/** All that was recorded. */
export const vectors: Vectors = {
  asks: load("asks"),
  coverageState: load("coverageState"),
  manifest: load("manifest"),
  placement: load("placement"),
  refusals: load("refusals"),
  session: load("session"),
  slots: load("slots"),
  streams: load("streams")
}

const packr = new Packr({ useRecords: false, mapsAsObjects: true, moreTypes: true })
const textDecoder = new TextDecoder()

/** A message's bytes. */
export const pack = (value: unknown): Uint8Array => packr.pack(value)

/** A record's bytes. */
export const toJson = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

const attempt = (read: () => unknown): unknown => {
  try {
    return read()
  } catch {
    return undefined
  }
}

/** The value of a message's bytes; undefined where they are none. */
export const unpack = (bytes: Uint8Array): unknown => attempt(() => packr.unpack(bytes))

/** The value of a record's bytes; undefined where they are none. */
export const fromJson = (bytes: Uint8Array): unknown => attempt(() => JSON.parse(textDecoder.decode(bytes)))

type Fields = Readonly<Record<string, (value: unknown) => boolean>>

const isText = (value: unknown): value is string => typeof value === "string"
const isFinite = (value: unknown): value is number => Number.isFinite(value)
const isInt = (value: unknown): value is number => Number.isSafeInteger(value)
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null

const has = (fields: Fields, value: unknown): boolean =>
  isObject(value) && Object.entries(fields).every(([name, isRight]) => name in value && isRight(value[name]))

/** Whether version 1 could read it as a message. */
export const isEnvelope = (value: unknown): value is V1Envelope =>
  has(
    {
      format: (format) => format === 1,
      to: (to) => has({ type: isText, key: isText }, to),
      id: isText,
      cause: isText,
      budgetMs: isFinite,
      body: () => true
    },
    value
  )

/** Whether version 1 could read it as a message's body. */
export const isBody = (value: unknown): value is { readonly message: string; readonly payload: unknown } =>
  has({ message: isText, payload: () => true }, value)

const undeliveredFields: Readonly<Record<string, Fields>> = {
  MailboxFull: { address: isText, retryAfterMs: isFinite },
  ActorUnavailable: { address: isText, reason: isText },
  DeadlineExceeded: { waitingFor: isText, budgetMs: isFinite }
}

const isUndelivered = (value: unknown): boolean =>
  isObject(value) && isText(value["_tag"]) && has(undeliveredFields[value["_tag"]] ?? { never: () => false }, value)

/** Whether version 1 could read it as an answer. */
export const isReply = (value: unknown): value is V1Reply =>
  has({ format: (format) => format === 1 }, value) &&
  (!(isObject(value) && "undelivered" in value) || isUndelivered(value["undelivered"]))

/** Whether version 1 could read it as a session. */
export const isSessionRecord = (value: unknown): value is V1SessionRecord =>
  has(
    { incarnation: isText, hostId: isText, configurationHash: isText, protocolVersion: isInt, startedAt: isFinite },
    value
  )

/** Whether version 1 could read it as a slot. */
export const isSlotValue = (value: unknown): value is V1SlotValue => has({ owner: isText, slotEpoch: isInt }, value)
