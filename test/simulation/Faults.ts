/**
 * What goes wrong in a run, and when?
 *
 * A plan that the seed draws: a handful of faults between the first second and the quiet at the end. Each is something
 * that machines, networks and NATS servers do.
 */
import * as Stream from "../../protocol/wire/Stream.ts"
import type { SimulatedServer } from "../../runtime/simulated/SimulatedServer.ts"
import type { History } from "./History.ts"
import * as SimulatedLink from "./SimulatedLink.ts"
import type { SimulatedProcess } from "./SimulatedProcess.ts"
import type * as SimulatedSource from "./SimulatedSource.ts"
import type { World } from "./World.ts"

/** Something that runs and is connected. */
interface Target {
  readonly name: string
  readonly process: SimulatedProcess
  readonly link: SimulatedLink.SimulatedLink
}

/** What faults are done to. */
export interface Victims {
  readonly world: World
  readonly server: SimulatedServer
  readonly history: History
  /** The hosts that run now, also those that start or leave. */
  readonly hosts: () => ReadonlyArray<Target>
  readonly callers: ReadonlyArray<Target>
  readonly upstreams: ReadonlyArray<SimulatedSource.Upstream>
  /** Starts a killed host again, as a new one. */
  readonly restart: (name: string) => void
  /** Has a host leave politely, and a new one take its place. */
  readonly upgrade: (name: string) => void
}

/** Does one fault; it is over when its time is, which the fault sees to itself. */
type Fault = (victims: Victims) => void

const host = ({ hosts, world }: Victims): Target | undefined => {
  const running = hosts()
  return running.length === 0 ? undefined : running[world.pick(running.length)]
}

const told = ({ history, world }: Victims, kind: string, target: string): void => {
  history.faults.push({ atMs: world.nowMs, kind, target })
  history.note("fault", kind, () => target)
}

/** Kills a host, and starts another in its place a while later. */
const killNow = (victims: Victims, target: Target, kind: string): void => {
  if (target.process.condition === "dead") return
  told(victims, kind, target.process.name)
  target.process.kill()
  target.link.lose()
  victims.world.after(victims.world.between(200, 6000), () => victims.restart(target.name))
}

const crash: Fault = (victims) => {
  const target = host(victims)
  if (target === undefined) return
  killNow(victims, target, "crash")
}

const armedMs = 5000

/** What a host is about to write, or was just told of, when it dies: anything, or something that is rare. */
const streamsToCrashAt = [
  "",
  "",
  "-coverage",
  ".audit.",
  "-timers",
  "-slots",
  "-jobs",
  "-actors",
  ".chunks.",
  ".pages."
]

/** Kills a host when it is about to send something to the server, or when it was just answered. */
const crashAtWrite: Fault = (victims) => {
  const target = host(victims)
  if (target === undefined) return
  const { world } = victims
  const way = world.chance(0.5) ? "toServer" : "toProcess"
  const about = streamsToCrashAt[world.pick(streamsToCrashAt.length)]!
  let left = 1 + world.pick(about === "" ? 30 : 4)
  target.link.onCarry = (carried, { kind, subject }) => {
    if (
      carried !== way ||
      (way === "toServer" && kind !== "write") ||
      subject.includes("sessions") ||
      !subject.includes(about)
    )
      return
    left -= 1
    if (left > 0) return
    target.link.onCarry = undefined
    killNow(victims, target, `crash ${way} at ${subject}`)
  }
  // one that has written nothing by then is left alone
  world.after(armedMs, () => {
    target.link.onCarry = undefined
  })
}

const freeze: Fault = (victims) => {
  const target = host(victims)
  if (target === undefined) return
  const { world } = victims
  const forMs = world.chance(0.5) ? world.between(50, 2500) : world.between(2500, 9000)
  told(victims, `freeze for ${Math.round(forMs)} ms`, target.process.name)
  target.process.freeze()
  // a server that hears nothing for so long ends the connection
  if (forMs > 3000) world.after(2500, () => target.link.lose())
  world.after(forMs, () => {
    told(victims, "thaw", target.process.name)
    target.process.thaw()
  })
}

const partition: Fault = (victims) => {
  const { callers, world } = victims
  const target = world.chance(0.8) ? host(victims) : callers[world.pick(callers.length)]
  if (target === undefined) return
  const ways = [["toServer"], ["toProcess"], ["toServer", "toProcess"], ["toServer", "toProcess"]] as const
  const cut = ways[world.pick(ways.length)]!
  const forMs = world.between(200, 8000)
  told(victims, `cut ${cut.join(" and ")} for ${Math.round(forMs)} ms`, target.process.name)
  world.after(forMs, target.link.cut(cut))
}

/** Everybody loses the connection at once. */
const loseAll = ({ callers, hosts }: Victims): void => {
  for (const { link } of [...hosts(), ...callers]) link.lose()
}

/** Changes the network of one host, or of all, for a while. */
const weather =
  (kind: string, change: (world: World) => Partial<SimulatedLink.Weather>): Fault =>
  (victims) => {
    const { world } = victims
    const one = host(victims)
    const targets = world.chance(0.5) || one === undefined ? [...victims.hosts(), ...victims.callers] : [one]
    const changed = change(world)
    told(victims, kind, targets.map((target) => target.process.name).join(" "))
    for (const { link } of targets) link.weather = { ...link.weather, ...changed }
    world.after(world.between(500, 5000), () => {
      for (const { link } of targets) link.weather = SimulatedLink.fair
    })
  }

const lossy = weather("lost acks", (world) => ({ loss: world.between(0.02, 0.3) }))
const late = weather("late acks", (world) => ({ latencyMsMax: world.between(20, 1500) }))
const shuffled = weather("repeated and reordered", (world) => ({
  repeat: world.between(0.02, 0.3),
  overtaken: world.between(0.05, 0.5),
  overtakenMsMax: world.between(5, 800)
}))
const stale = weather("stale reads", (world) => ({ stale: 0.5, staleMsMax: world.between(100, 3000) }))

/**
 * A host loses the way to the leaders of streams, while others still reach it: first their answers come late, then
 * nothing is heard of them.
 */
const leaderOutOfReach: Fault = (victims) => {
  const target = host(victims)
  if (target === undefined) return
  const { world } = victims
  const lateMs = world.between(500, 2500)
  const outMs = world.between(1000, 7000)
  told(victims, `leader late by ${Math.round(lateMs)} ms, then out of reach`, target.process.name)
  target.link.weather = { ...SimulatedLink.fair, leaderLateMs: lateMs }
  world.after(lateMs + 500, () => {
    told(victims, `leader out of reach for ${Math.round(outMs)} ms`, target.process.name)
    target.link.weather = { ...SimulatedLink.fair, leaderLoss: 1 }
    world.after(outMs, () => {
      target.link.weather = SimulatedLink.fair
    })
  })
}

const skew: Fault = (victims) => {
  const target = host(victims)
  if (target === undefined) return
  const byMs = Math.round(victims.world.between(-5000, 5000))
  told(victims, `clock set by ${byMs} ms`, "clock")
  target.process.skewMs += byMs
}

/** A stream's leader dies: nothing is written until there is another. */
const leaderChange: Fault = (victims) => {
  const { server, world } = victims
  const forMs = world.between(100, 9000)
  const writes = world.chance(0.5) ? "refused" : "unanswered"
  told(victims, `no leader for ${Math.round(forMs)} ms, writes ${writes}`, "streams")
  server.setWritable(false, { writes, ...(world.chance(0.5) ? {} : { reads: "unanswered" }) })
  world.after(forMs, () => server.setWritable(true))
}

const fullDisk: Fault = (victims) => {
  const { server, world } = victims
  told(victims, "disk full", "server")
  server.setFull(true)
  world.after(world.between(500, 5000), () => server.setFull(false))
}

const kvStreams = [Stream.coverage, Stream.jobs, Stream.actors, Stream.slots, Stream.timers].map(({ name }) => name)

/** A power failure: what the last moment wrote to the buckets is gone, and everybody has to connect again. */
const rollBack: Fault = (victims) => {
  const { history, server, world } = victims
  const byMs = world.chance(0.5) ? world.between(1, 200) : world.between(200, 3000)
  const lost = history.forgetStored(kvStreams, world.nowMs - byMs)
  told(victims, `power failure: buckets have lost ${lost} messages of ${Math.round(byMs)} ms`, "server")
  server.rollBack({ streams: kvStreams, keepUntilMs: world.nowMs - byMs })
  history.isRolledBack ||= lost > 0
  loseAll(victims)
}

/** A host that does not keep up: what was announced to it is dropped, and its connection ended. */
const slowConsumer: Fault = (victims) => {
  const target = host(victims)
  if (target === undefined) return
  told(victims, "slow consumer", target.process.name)
  const heal = target.link.cut(["toProcess"])
  victims.world.after(victims.world.between(100, 1000), () => {
    target.link.lose()
    heal()
  })
}

const upgrade: Fault = (victims) => {
  const target = host(victims)
  if (target === undefined) return
  told(victims, "upgrade", target.process.name)
  victims.upgrade(target.name)
}

const badSource: Fault = (victims) => {
  const { upstreams, world } = victims
  const upstream = upstreams[world.pick(upstreams.length)]!
  told(victims, "source in a bad mood", "source")
  upstream.mood = {
    latencyMsMax: world.between(50, 3000),
    fails: world.between(0, 0.8),
    refuses: world.chance(0.4) ? world.between(0, 0.6) : 0,
    cutsShort: world.between(0, 1),
    hangs: world.between(0, 0.1)
  }
  world.after(world.between(1000, 5000), () => {
    upstream.mood = upstream.usual
  })
}

const faults: ReadonlyArray<Fault> = [
  crash,
  crashAtWrite,
  crashAtWrite,
  freeze,
  freeze,
  partition,
  partition,
  lossy,
  late,
  shuffled,
  stale,
  skew,
  leaderChange,
  leaderOutOfReach,
  leaderOutOfReach,
  fullDisk,
  rollBack,
  slowConsumer,
  upgrade,
  badSource
]

/** Plans the faults of a run between two moments. */
export const plan = (victims: Victims, { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }): void => {
  const { world } = victims
  const count = world.pick(7)
  for (let number = 0; number < count; number++) {
    const fault = faults[world.pick(faults.length)]!
    world.at(world.between(fromMs, toMs), () => fault(victims))
  }
}
