/**
 * How do records, and what hosts tell of themselves, become what an operator sees?
 *
 * Pure. The records say who lives and who owns what; the rest is known to one host each, which may not have answered.
 */
import { Option, Result } from "effect"
import type { ActorReport, SlotReport } from "../protocol/wire/ActorReport.ts"
import { AmbiguousHost, UnknownHost } from "../protocol/wire/AdminErrors.ts"
import type { HostReport } from "../protocol/wire/HostReport.ts"
import type { SessionRecord } from "../protocol/wire/HostRecords.ts"
import * as Token from "../protocol/wire/Token.ts"
import type { OwnReport } from "./LocalActors.ts"
import { desiredHost, labelOf } from "./Placement.ts"
import type { SlotRecord } from "./planClaims.ts"

/** What the records say. */
export interface Records {
  readonly live: ReadonlyArray<SessionRecord>
  readonly slots: ReadonlyArray<SlotRecord>
}

/** The first version whose hosts can be asked anything. */
const answersSince = 2

/** Whether the host is of a version that answers. */
export const canAnswer = ({ protocolVersion }: SessionRecord): boolean => protocolVersion >= answersSince

/** The number in a slot's name. */
export const numberOf = (slotName: string): number => Number(slotName.slice(slotName.lastIndexOf(".") + 1))

const labelText = (slotName: string): string => {
  const token = labelOf(slotName)
  return Option.getOrElse(Token.decode(token), () => token)
}

/** How many slots each incarnation owns. */
const countByOwner = (slots: ReadonlyArray<SlotRecord>): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>()
  for (const { owner } of slots) if (owner !== "") counts.set(owner, (counts.get(owner) ?? 0) + 1)
  return counts
}

/** Of an owner whose session is gone, nothing is known but its slots. */
const goneHost = (incarnation: string, slots: number): HostReport => ({
  incarnation,
  hostId: "",
  protocolVersion: 0,
  labels: [],
  startedAt: 0,
  state: "unreachable",
  slots
})

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Every host that has a session or a slot; `told` is what those said that answered. */
export const hostReports = (
  { live, slots }: Records,
  told: ReadonlyMap<string, OwnReport>
): ReadonlyArray<HostReport> => {
  const counts = countByOwner(slots)
  const known = live.map((host): HostReport => {
    const { hostId, incarnation, labels = [], protocolVersion, startedAt } = host
    const session = { incarnation, hostId, protocolVersion, labels, startedAt, slots: counts.get(incarnation) ?? 0 }
    if (!canAnswer(host)) return { ...session, state: "serving" }
    return { ...session, ...(told.get(incarnation) ?? { state: "unreachable" }) }
  })
  const living = new Set(live.map(({ incarnation }) => incarnation))
  const gone = Array.from(counts)
    .filter(([owner]) => !living.has(owner))
    .map(([owner, count]) => goneHost(owner, count))
  return [...known, ...gone].toSorted((a, b) => byText(a.hostId, b.hostId) || byText(a.incarnation, b.incarnation))
}

/** Every slot that has a record, by label and number. */
export const slotReports = ({ live, slots }: Records): ReadonlyArray<SlotReport> => {
  const hostIds = new Map(live.map(({ hostId, incarnation }) => [incarnation, hostId]))
  return slots
    .map(({ owner, slot, slotEpoch }) => ({
      label: labelText(slot),
      slot: numberOf(slot),
      owner,
      hostId: hostIds.get(owner) ?? "",
      slotEpoch,
      desired: desiredHost(slot, live)?.hostId ?? ""
    }))
    .toSorted((a, b) => byText(a.label, b.label) || a.slot - b.slot)
}

/** The `top` busiest actors: by their rate, then by all their messages. */
export const busiest = (actors: ReadonlyArray<ActorReport>, top: number): ReadonlyArray<ActorReport> =>
  actors
    .toSorted(
      (a, b) => b.rate - a.rate || b.messages - a.messages || byText(`${a.type}/${a.key}`, `${b.type}/${b.key}`)
    )
    .slice(0, top)

/** The live host of that incarnation or label. */
export const findHost = (
  live: ReadonlyArray<SessionRecord>,
  host: string
): Result.Result<SessionRecord, UnknownHost | AmbiguousHost> => {
  const named = live.filter(({ hostId, incarnation }) => incarnation === host || hostId === host)
  const [found] = named.filter(({ incarnation }) => incarnation === host).concat(named)
  if (found === undefined) {
    return Result.fail(new UnknownHost({ host, known: live.map(({ hostId }) => hostId).toSorted(byText) }))
  }
  if (found.incarnation === host || named.length === 1) return Result.succeed(found)
  return Result.fail(new AmbiguousHost({ host, incarnations: named.map(({ incarnation }) => incarnation) }))
}

/** The newest of these, the newest last, as many as have room in so many bytes of JSON. */
export const newestWithin = <A>(oldestFirst: ReadonlyArray<A>, bytesMax: number): ReadonlyArray<A> => {
  let bytes = 0
  const first = oldestFirst.findLastIndex((each) => {
    bytes += Token.byteLength(JSON.stringify(each)) + 1
    return bytes > bytesMax
  })
  return oldestFirst.slice(first + 1)
}
