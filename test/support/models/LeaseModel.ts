/**
 * Who works on a window, and since when has nothing been heard of it?
 *
 * A record, the number of its last write, and for each host what it saw last and when. Whoever wrote the record last has the
 * window; another gets it when that one's host is dead, or was seen to do nothing for the length of its lease.
 */

/** The job of one window, as it must be. */
export interface LeaseRecord {
  state: "PENDING" | "RUNNING" | "SUCCEEDED" | "FAILED"
  run: number
  fence: number
  renewals: number
  holder: string | undefined
  leaseMs: number
  /** Bars that the run is to bring, and those of them that it has. */
  readonly wanted: ReadonlySet<number>
  readonly done: Set<number>
  /** The number of its last write; whoever knows it may write. */
  writes: number
}

/** The jobs of some windows, and what the hosts know of them. */
export interface LeaseModel {
  /** Counts the writes of all records. */
  writes: number
  readonly records: Map<string, LeaseRecord>
  readonly dead: Set<string>
  /** By host and window: the number of the write when this host claimed or renewed it last. */
  readonly hands: Map<string, number>
  /** By host and window: the number of the write that was seen, and since when no other was. */
  readonly seen: Map<string, { readonly writes: number; readonly sinceMs: number }>
}

/** No job yet, and all hosts alive. */
export const make = (): LeaseModel => ({
  writes: 0,
  records: new Map(),
  dead: new Set(),
  hands: new Map(),
  seen: new Map()
})

/** How a host and a window are named together. */
export const pair = (host: string, key: string): string => `${host} ${key}`

/** Whether nobody has to do anything more about the run. */
export const isOver = ({ state }: LeaseRecord): boolean => state === "SUCCEEDED" || state === "FAILED"

/** What a run that failed was to bring and did not: the next one has to, whatever else it is opened for. */
const owed = (before: LeaseRecord | undefined): Iterable<number> =>
  before?.state === "FAILED" ? [...before.wanted].filter((bar) => !before.done.has(bar)) : []

/** Opens a run where there is none, or none that is not over. */
export const open = (model: LeaseModel, key: string, asked: ReadonlySet<number>): void => {
  const before = model.records.get(key)
  const wanted = new Set([...asked, ...owed(before)])
  model.records.set(key, {
    state: "PENDING",
    run: (before?.run ?? 0) + 1,
    fence: before?.fence ?? 0,
    renewals: 0,
    holder: undefined,
    leaseMs: 0,
    wanted,
    done: new Set(),
    writes: ++model.writes
  })
}

/** Whether the window is to be had by a host at that moment: this look counts as one. */
const isFree = (model: LeaseModel, host: string, { key, nowMs }: { readonly key: string; readonly nowMs: number }) => {
  const record = model.records.get(key)!
  if (record.state === "PENDING" || model.dead.has(record.holder ?? "")) return true
  const before = model.seen.get(pair(host, key))
  if (before?.writes === record.writes) return nowMs - before.sinceMs > record.leaseMs
  model.seen.set(pair(host, key), { writes: record.writes, sinceMs: nowMs })
  return false
}

/** What a host that asks for the window is told. */
export const ask = (
  model: LeaseModel,
  host: string,
  at: { readonly key: string; readonly nowMs: number }
): "Over" | "Taken" | "Held" => {
  const record = model.records.get(at.key)
  if (record === undefined || isOver(record)) {
    model.seen.delete(pair(host, at.key))
    return "Over"
  }
  if (!isFree(model, host, at)) return "Taken"
  model.seen.delete(pair(host, at.key))
  return "Held"
}

/** Whether the window goes to a host that takes what follows: only what waits, or whose host is dead. */
export const follows = ({ dead, records }: LeaseModel, key: string): boolean => {
  const record = records.get(key)
  return record?.state === "PENDING" || (record?.state === "RUNNING" && dead.has(record.holder ?? ""))
}

/** The host's claim takes effect. */
export const claim = (model: LeaseModel, host: string, key: string, leaseMs: number): void => {
  const record = model.records.get(key)!
  Object.assign(record, { state: "RUNNING", fence: record.fence + 1, renewals: 0, holder: host, leaseMs })
  record.writes = ++model.writes
}

/** Whether what the host has in its hands is still the newest. */
export const mayWrite = ({ hands, records }: LeaseModel, host: string, key: string): boolean =>
  records.has(key) && hands.get(pair(host, key)) === records.get(key)?.writes

/** What a holder writes. */
export type Ending = "renew" | "release" | "complete" | "fail"

/** What the holder writes takes effect. */
export const write = (model: LeaseModel, key: string, ending: Ending, bars: Iterable<number>): void => {
  const record = model.records.get(key)!
  record.writes = ++model.writes
  if (ending === "renew") {
    record.renewals += 1
    return
  }
  record.holder = undefined
  if (ending === "release") {
    record.state = "PENDING"
    return
  }
  for (const bar of bars) if (record.wanted.has(bar)) record.done.add(bar)
  record.state = ending === "complete" || record.done.size === record.wanted.size ? "SUCCEEDED" : "FAILED"
}

/** So much time passes that records of runs which are over are gone; gives their windows. */
export const expire = ({ records }: LeaseModel): ReadonlyArray<string> => {
  const expired = [...records].filter(([, record]) => isOver(record)).map(([key]) => key)
  for (const key of expired) records.delete(key)
  return expired
}
