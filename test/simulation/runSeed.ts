/**
 * What becomes of a cluster with this seed?
 *
 * Three hosts, two callers, a server, and sixty virtual seconds. Questions are put in the first forty of them, faults
 * happen in the same time, and then there is quiet: at the end everything is asked once more, and judged.
 */
import { Context } from "effect"
import type { Invariant } from "../../protocol/wire/Invariant.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import { ActorSystem } from "../../runtime/ActorSystem.ts"
import * as SimulatedServer from "../../runtime/simulated/SimulatedServer.ts"
import * as Callers from "./Callers.ts"
import * as Conditions from "./Conditions.ts"
import { checkAnswers } from "./checks/checkAnswers.ts"
import { checkAttempts } from "./checks/checkAttempts.ts"
import { checkBackfills } from "./checks/checkBackfills.ts"
import { checkBudget } from "./checks/checkBudget.ts"
import { checkBurials } from "./checks/checkBurials.ts"
import { checkCoverage } from "./checks/checkCoverage.ts"
import { checkEvents } from "./checks/checkEvents.ts"
import { checkGenerations } from "./checks/checkGenerations.ts"
import { checkJobs } from "./checks/checkJobs.ts"
import { checkLeases } from "./checks/checkLeases.ts"
import { checkLast, checkReads } from "./checks/checkReads.ts"
import { checkMessages } from "./checks/checkMessages.ts"
import { checkOperators } from "./checks/checkOperators.ts"
import { checkOwners } from "./checks/checkOwners.ts"
import { checkPastReads } from "./checks/checkPastReads.ts"
import { checkRegisters } from "./checks/checkRegisters.ts"
import { checkReplay, checkVerdicts } from "./checks/checkReplay.ts"
import { checkRequests, checkSteps, checkTally } from "./checks/checkRequests.ts"
import { checkRevised } from "./checks/checkRevised.ts"
import { checkRolledUp } from "./checks/checkRolledUp.ts"
import { checkSettled } from "./checks/checkSettled.ts"
import { checkStrict } from "./checks/checkStrict.ts"
import { checkStorms } from "./checks/checkStorms.ts"
import { checkSweeps, skewOf } from "./checks/checkSweeps.ts"
import { checkSwitches } from "./checks/checkSwitches.ts"
import { checkUpstream } from "./checks/checkUpstream.ts"
import { checkOwed, checkWaiting } from "./checks/checkWaiting.ts"
import { checkWriters } from "./checks/checkWriters.ts"
import * as Faults from "./Faults.ts"
import { History, type Line } from "./History.ts"
import * as Operators from "./Operators.ts"
import { observeSteps } from "./Register.ts"
import * as PastReads from "./PastReads.ts"
import * as RolledUp from "./RolledUp.ts"
import { ofInterval, recordOf } from "./RunRecord.ts"
import * as SimulatedHost from "./SimulatedHost.ts"
import { epochMs, SimulatedProcess } from "./SimulatedProcess.ts"
import * as SimulatedSource from "./SimulatedSource.ts"
import type { SimulatedLink } from "./SimulatedLink.ts"
import * as StrictReads from "./StrictReads.ts"
import { traceLogger } from "./traceLogger.ts"
import { World } from "./World.ts"

const hostNames = ["a", "b", "c"]
const callerNames = ["x", "y"]

/** How much happens in a run, and when. */
const shape = {
  operations: 200,
  loadFromMs: 1500,
  loadToMs: 40_000,
  faultsFromMs: 1000,
  faultsToMs: 38_000,
  againAtMs: 47_000,
  fillAtMs: 47_500,
  lastAtMs: 52_000,
  rolledUpAtMs: 54_000,
  standsAtMs: 55_000,
  endMs: 60_000
} as const

/** So long after its time a message that was told counts as lost: see runtime/Sender.ts, and when it looks. */
const toldWithinMs = 32_000

/** A pause of a process that is shorter than this may go unnoticed: see smallWorld. */
const unnoticedMs = 1200

/** What a run came to. */
export interface Verdict {
  readonly seed: number
  readonly problems: ReadonlyArray<string>
  readonly hash: string
  readonly counts: Readonly<Record<string, number>>
  readonly lines: ReadonlyArray<Line>
}

/** The hosts of a run: which run now, and how they are replaced. */
const makeHosts = (surroundings: SimulatedHost.Surroundings, world: World) => {
  const hosts = new Map<string, SimulatedHost.SimulatedHost>()
  const start = (name: string): void => {
    hosts.set(
      name,
      SimulatedHost.start(name, surroundings, ({ isAsked }) => {
        if (hosts.get(name)?.isServing() === true) return
        // whoever runs it starts it again, at once where it was asked to stop
        world.after(isAsked ? 100 : 1000, () => start(name))
      })
    )
  }
  return {
    start,
    running: () => Array.from(hosts.values()).filter((host) => host.process.isReady()),
    upgrade: (name: string) => hosts.get(name)?.stop()
  }
}

/** What a host counts that finds out that storage has lost what it had acknowledged. */
const tellsOfLoss: ReadonlyArray<Invariant> = [
  "storageKept",
  "coverageKept",
  "coverageForward",
  "completedOnce",
  "auditContinues",
  // an epoch that was lost is begun again by another
  "oneWriter",
  "epochGrows",
  "revisionGrows"
]

const judge = (
  history: History,
  { account, restated, retention }: Conditions.Conditions,
  heldBackMsMax: number
): ReadonlyArray<string> => {
  const { complaints, events, faults, isRolledBack, operations, removed, requests, steps, stored } = history
  const { isScarce } = account
  const isFaultless = faults.length === 0
  const whole = recordOf(history, Callers.nodes)
  const run = ofInterval(whole, Callers.interval)
  const above = ofInterval(whole, RolledUp.interval)
  return [
    ...checkWriters(whole),
    // what was acknowledged and lost breaks these
    ...(isRolledBack
      ? []
      : [
          ...checkBurials(whole, faults),
          ...checkOwners(whole),
          ...checkLeases(whole, faults),
          // a holder who writes upon a revision that was given again can't know of it
          ...[run, above].flatMap((of) => [
            ...checkJobs(of),
            ...checkAttempts(of, Conditions.retry.attempts),
            ...checkOwed(of)
          ]),
          ...checkSwitches(whole.switches, requests),
          ...checkAnswers(operations, run),
          ...checkStrict(operations, run),
          ...checkMessages(operations, { isFaultless, lastAtMs: shape.lastAtMs }),
          ...checkOperators(run, operations),
          ...checkGenerations(run, operations),
          ...checkReplay(stored),
          ...checkVerdicts(operations),
          ...(isScarce ? [] : checkWaiting(whole, shape.endMs)),
          ...(isScarce ? [] : checkSettled(run, operations, restated)),
          ...checkRevised(run, stored, restated),
          ...checkEvents(whole, events, { allBeforeMs: isFaultless ? shape.endMs - 1000 : 0 }),
          ...checkBackfills(run, operations, isScarce)
        ]),
    ...checkCoverage(whole, operations),
    ...checkBudget(requests, isRolledBack ? { ...account, concurrency: Infinity } : account),
    ...checkReads(operations, restated),
    ...checkRolledUp(operations, run, { isScarce, restated }),
    ...checkPastReads(operations, run, {
      rootsMs: retention?.rootsMs ?? Infinity,
      skewMs: skewOf(faults),
      isRolledBack
    }),
    ...(retention === undefined ? [] : checkSweeps({ stored, removed, faults, retention, endMs: shape.endMs })),
    ...checkRequests(operations),
    ...checkSteps(steps, heldBackMsMax),
    ...checkRegisters(operations, isRolledBack),
    // who waits long for its turn may find that another has brought it meanwhile
    ...(isScarce ? [] : checkUpstream(run)),
    ...checkLast(operations, isScarce),
    // that storage has lost something is told where it has
    ...complaints
      .filter(({ text }) => !isRolledBack || !tellsOfLoss.some((name) => text.includes(`"invariant":"${name}"`)))
      .map(({ host, text }) => `${host} complains: ${text}`)
  ]
}

const tallied = (history: History, { name, system }: Callers.Caller): ReadonlyArray<string> => {
  const built = system()
  if (built === undefined) return [`${name} was never connected`]
  // how they ended is told once, and where that got lost they count as lost a while after their time
  const mayWait = history.operations.filter(
    ({ client, untilMs, what }) => client === name && what === "tell" && untilMs > shape.endMs - toldWithinMs
  )
  return checkTally(name, Context.get(built, ActorSystem).tally(), mayWait.length)
}

/** The server of a run, which remembers all that is stored. */
const makeServer = (world: World, history: History): SimulatedServer.SimulatedServer =>
  SimulatedServer.make({
    nowMs: () => world.nowMs,
    beginsAtMs: epochMs,
    schedule: (afterMs, run) => world.after(afterMs, run),
    expiryLagMs: () => world.random() * 250,
    pick: (count) => world.pick(count),
    historyMs: 5000,
    streams: Stream.every,
    onStored: (entry) => {
      history.stored.push(entry)
      const what = `stores ${entry.subject} ${entry.revision}, ${entry.data.length} bytes`
      history.note("server", what, () => `by ${entry.by ?? "itself"}`)
    },
    onRemoved: (entry) => {
      history.removed.push(entry)
      history.note("server", `removes ${entry.subject} ${entry.revision}`, () => "")
    }
  })

/** Plans what everybody asks for: first all at once, and at the end what has to be there by then. */
const planLoad = (
  callers: ReadonlyArray<Callers.Caller>,
  history: History,
  conditions: Conditions.Conditions,
  hosts: () => ReadonlyArray<{ readonly link: SimulatedLink }>
): void => {
  const [first, second] = [callers[0]!, callers[1]!]
  const { world } = first.process
  const times = { fromMs: shape.loadFromMs, toMs: shape.loadToMs }
  Callers.load(callers, history, { count: shape.operations, ...times })
  Operators.listen(first, history)
  Operators.load(callers, history, conditions, times)
  world.at(shape.againAtMs, () => Operators.lookAtAccounts(second, history))
  if (conditions.spoiled.every(({ untilMs }) => untilMs < shape.againAtMs)) {
    world.at(shape.againAtMs, () => Operators.retryAll(second, history))
  }
  world.at(shape.fillAtMs, () => Operators.fillAll(second, history))
  world.at(shape.lastAtMs, () => Callers.readAll(first, history, shape.endMs - shape.lastAtMs - 2000))
  const { deaf, pastReadsAtMs, rolledUp, strictReads } = conditions
  const links = () => hosts().map(({ link }) => link)
  StrictReads.load(callers, history, { reads: strictReads, deaf, links, lastAtMs: shape.standsAtMs })
  PastReads.load(callers, history, { atMs: pastReadsAtMs, lastAtMs: shape.standsAtMs })
  if (rolledUp !== undefined) {
    const lastBudgetMs = shape.endMs - shape.rolledUpAtMs - 1500
    RolledUp.load(callers, history, { rolledUp, lastAtMs: shape.rolledUpAtMs, lastBudgetMs })
  }
  world.at(shape.standsAtMs, () => Operators.lookAtEnd(first, history, conditions))
}

/** Runs a cluster through the faults of a seed, and judges what happened. */
export const runSeed = (seed: number, { isTraced = false }: { readonly isTraced?: boolean } = {}): Verdict => {
  const world = new World(seed)
  const history = new History(() => world.nowMs, isTraced)
  observeSteps((step) => history.steps.push({ ...step, atMs: world.nowMs }))
  const server = makeServer(world, history)
  let spawned = 0
  const conditions = Conditions.draw(world, seed)
  const usual = { ...SimulatedSource.friendly, latencyMsMax: conditions.latencyMsMax }
  const upstreams = new Map([
    ["exchange", { mood: usual, usual, spoiled: conditions.spoiled, restated: conditions.restated }]
  ])
  const surroundings: SimulatedHost.Surroundings = {
    server,
    history,
    configuration: Conditions.configurationOf(conditions),
    upstreams,
    links: [],
    // a process that takes the place of another is not the other
    spawn: (host) => {
      const name = `${host}${++spawned}`
      return new SimulatedProcess(world, name, traceLogger(name, history, isTraced))
    }
  }
  const hosts = makeHosts(surroundings, world)
  for (const name of hostNames) hosts.start(name)
  const callers = callerNames.map((name) => Callers.connect(name, surroundings))
  planLoad(callers, history, conditions, hosts.running)
  Faults.plan(
    {
      world,
      server,
      history,
      hosts: hosts.running,
      callers,
      upstreams: Array.from(upstreams.values()),
      restart: hosts.start,
      upgrade: hosts.upgrade
    },
    { fromMs: shape.faultsFromMs, toMs: shape.faultsToMs }
  )
  world.runUntil(shape.endMs)
  // from the caller to the server, from there to the host, and what a process does not notice of its own pauses
  const heldBackMs = 2 * Math.max(...surroundings.links.map(({ heldBackMsMax }) => heldBackMsMax)) + unnoticedMs
  return {
    seed,
    problems: [
      ...judge(history, conditions, heldBackMs),
      ...checkStorms(
        surroundings.links.map(({ process, sentPerSecondMax }) => ({
          name: process.name,
          sentPerSecond: sentPerSecondMax
        }))
      ),
      ...callers.flatMap((caller) => tallied(history, caller))
    ],
    hash: history.digest(),
    counts: {
      steps: world.steps,
      stored: history.stored.length,
      operations: history.operations.length,
      answered: history.operations.filter(({ outcome }) => outcome === "ok").length,
      faults: history.faults.length,
      removed: history.removed.length,
      pages: history.pages.length,
      sentPerSecondMax: Math.max(...surroundings.links.map(({ sentPerSecondMax }) => sentPerSecondMax))
    },
    lines: history.lines
  }
}
