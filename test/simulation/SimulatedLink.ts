/**
 * What can happen on the way between a process and the server?
 *
 * As over TCP, what is sent arrives in its order, or the connection is lost. What a cluster of servers adds to that can
 * be turned on for a while: answers that get lost or come late, changes that are announced twice, out of order or not at
 * all, and answers from a replica that is behind.
 */
import type { Link, Parcel } from "../../runtime/simulated/Link.ts"
import type { SimulatedProcess } from "./SimulatedProcess.ts"
import type { World } from "./World.ts"

/** A direction, as the process sees it. */
export type Way = "toServer" | "toProcess"

/** How good the network is; the same for a process until a fault changes it. */
export interface Weather {
  /** The longest that a parcel is on its way, in milliseconds. */
  readonly latencyMsMax: number
  /** How likely a parcel is lost on its way, with the connection left standing. */
  readonly loss: number
  /** How likely it arrives twice. */
  readonly repeat: number
  /** How likely it is overtaken by later ones, and by how much at most. */
  readonly overtaken: number
  readonly overtakenMsMax: number
  /** How likely a read is answered by a replica that is behind, and by how much at most. */
  readonly stale: number
  readonly staleMsMax: number
  /** How much longer answers of the leaders of streams take, and how likely what is said to them or by them is lost. */
  readonly leaderLateMs: number
  readonly leaderLoss: number
}

/** A network as it is on a good day. */
export const fair: Weather = {
  latencyMsMax: 2,
  loss: 0,
  repeat: 0,
  overtaken: 0,
  overtakenMsMax: 0,
  stale: 0.02,
  staleMsMax: 50,
  leaderLateMs: 0,
  leaderLoss: 0
}

/** What can't be sent yet. */
interface Waiting {
  readonly act: () => void
  readonly sinceMs: number
}

/** Two pings a second apart without an answer: so long after a way is cut the connection counts as lost. */
const noticedAfterMs = { least: 2000, most: 3000 }
const reconnectAfterMs = { least: 50, most: 300 }
/** How likely what was under way to the server when the connection was lost arrives when the way is back. */
const arrivesAfterAll = 0.3

/** Nobody tells a subscription twice, and what is asked of it never gets lost while the connection stands. */
const isSure = ({ kind }: Parcel): boolean => kind === "subscribe"

/** What clients say to each other goes through any server; the rest is for the leaders of streams, or from them. */
const core = /^(seamless\.v1\.(slot|settled|read|ensure|coverage|health|admin|host)\b|_INBOX)/
const isOfLeader = ({ kind, subject }: Parcel): boolean =>
  kind !== "message" && kind !== "publish" && kind !== "request" && !isSure({ kind, subject }) && !core.test(subject)

/** The way between one process and the server. */
export class SimulatedLink implements Link {
  weather: Weather = fair
  /** Called for each parcel before it is sent: where crashes at exact moments come from. */
  onCarry: ((way: Way, parcel: Parcel) => void) | undefined
  /** Of which subjects the process hears nothing, though the connection stands: announcements have no receipt. */
  isDeafTo: ((subject: string) => boolean) | undefined
  /** Called when the connection is lost: the server notices, too. */
  onLost: () => void = () => undefined
  /** The longest that anything was on its way, or waited for it to open. */
  heldBackMsMax = 0
  /** The most that the process has sent in any one second. */
  sentPerSecondMax = 0
  private sentInSecond = 0
  private second = 0
  readonly process: SimulatedProcess
  private readonly world: World
  private readonly handlers = new Set<() => void>()
  /** How many cuts hold each way closed. */
  private readonly closed: Record<Way, number> = { toServer: 0, toProcess: 0 }
  private readonly waiting: Record<Way, Array<Waiting>> = { toServer: [], toProcess: [] }
  private readonly lastAtMs: Record<Way, number> = { toServer: 0, toProcess: 0 }
  private standing = true
  /** The number of the connection: what belongs to an earlier one is not delivered any more. */
  private connection = 0
  private cuts = 0

  constructor(process: SimulatedProcess) {
    this.process = process
    this.world = process.world
  }

  isUp(): boolean {
    return this.standing
  }

  onReconnect(handler: () => void): () => void {
    this.handlers.add(handler)
    return () => void this.handlers.delete(handler)
  }

  after(ms: number, run: () => void): () => void {
    return this.process.after(ms, run)
  }

  readLagMs(_kind: "read" | "readMany"): number {
    const { stale, staleMsMax } = this.weather
    return this.world.chance(stale) ? this.world.between(0, staleMsMax) : 0
  }

  carry(way: Way, parcel: Parcel, act: () => void): void {
    if (way === "toServer") this.countSent()
    this.onCarry?.(way, parcel)
    if (!this.standing || this.process.condition === "dead") return
    if (way === "toProcess" && parcel.kind === "message" && this.isDeafTo?.(parcel.subject)) return
    const { leaderLoss, loss, repeat } = this.weather
    if (!isSure(parcel) && this.world.chance(loss)) return
    if (leaderLoss > 0 && isOfLeader(parcel) && this.world.chance(leaderLoss)) return
    this.send(way, parcel, act)
    if (!isSure(parcel) && this.world.chance(repeat)) this.send(way, parcel, act)
  }

  /** Makes a black hole of the ways; gives what opens them again, where no other cut holds them closed. */
  cut(ways: ReadonlyArray<Way>): () => void {
    const wasOpen = this.isOpen()
    for (const way of ways) this.closed[way] += 1
    if (wasOpen) this.noticeLater()
    return () => {
      for (const way of ways) {
        this.closed[way] -= 1
        if (this.closed[way] === 0) this.sendWaiting(way)
      }
      if (this.isOpen()) this.reopen()
    }
  }

  private isOpen(): boolean {
    return this.closed.toServer + this.closed.toProcess === 0
  }

  private noticeLater(): void {
    const cut = ++this.cuts
    this.world.after(this.world.between(noticedAfterMs.least, noticedAfterMs.most), () => {
      if (cut === this.cuts) this.lose()
    })
  }

  private sendWaiting(way: Way): void {
    for (const { act, sinceMs } of this.waiting[way].splice(0)) {
      this.noteHeldBack(this.world.nowMs - sinceMs)
      this.deliver(way, act, false)
    }
  }

  /** All ways are open: nobody notices the cut any more, and a connection that was lost is made anew a little later. */
  private reopen(): void {
    this.cuts += 1
    if (!this.standing) this.reconnect()
  }

  /** Ends the connection, as a server does that dies or does not keep up with a slow consumer. */
  lose(): void {
    if (!this.standing) return
    this.standing = false
    this.connection += 1
    const arriving = this.waiting.toServer.splice(0)
    this.waiting.toProcess.length = 0
    if (this.world.chance(arrivesAfterAll)) this.waiting.toServer.push(...arriving)
    this.onLost()
    if (this.isOpen()) this.reconnect()
  }

  private reconnect(): void {
    const { connection } = this
    this.world.after(this.world.between(reconnectAfterMs.least, reconnectAfterMs.most), () => {
      if (connection !== this.connection || this.standing || !this.isOpen()) return
      if (this.process.condition === "dead") return
      this.standing = true
      for (const handler of this.handlers) this.process.enter(handler)
    })
  }

  private countSent(): void {
    const second = Math.floor(this.world.nowMs / 1000)
    this.sentInSecond = second === this.second ? this.sentInSecond + 1 : 1
    this.second = second
    if (this.sentInSecond > this.sentPerSecondMax) this.sentPerSecondMax = this.sentInSecond
  }

  private noteHeldBack(ms: number): void {
    if (ms > this.heldBackMsMax) this.heldBackMsMax = ms
  }

  private send(way: Way, parcel: Parcel, act: () => void): void {
    const { leaderLateMs } = this.weather
    if (this.closed[way] > 0) this.waiting[way].push({ act, sinceMs: this.world.nowMs })
    else if (leaderLateMs > 0 && way === "toProcess" && isOfLeader(parcel)) {
      this.noteHeldBack(leaderLateMs)
      this.world.after(leaderLateMs, () => this.deliver(way, act, false))
    } else this.deliver(way, act, !isSure(parcel) && this.world.chance(this.weather.overtaken))
  }

  private deliver(way: Way, act: () => void, isOvertaken: boolean): void {
    const { world } = this
    const { connection } = this
    let atMs = world.nowMs + world.random() * this.weather.latencyMsMax
    if (isOvertaken) atMs += world.random() * this.weather.overtakenMsMax
    else {
      atMs = Math.max(atMs, this.lastAtMs[way])
      this.lastAtMs[way] = atMs
    }
    this.noteHeldBack(atMs - world.nowMs)
    world.at(
      atMs,
      way === "toServer"
        ? act
        : () => {
            if (connection === this.connection) this.process.enter(act)
          }
    )
  }
}
