/**
 * What do operators do to a simulated cluster while it is in trouble?
 *
 * They retry, skip, call off and set aside windows, take time out of the coverage, order backfills and hold them up, and
 * look whether the history holds. What they say, and when, is drawn from the seed. Their reason for each word is the
 * number of the question, so that what came of it can be told in the audit.
 */
import { Effect, Option } from "effect"
import { ask } from "../../client/Session.ts"
import type { Range } from "../../protocol/history/Range.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import { ensureMessage } from "../../protocol/messages/Coverage.ts"
import * as ActorSubject from "../../protocol/wire/ActorSubject.ts"
import * as Codec from "../../protocol/wire/Codec.ts"
import { MediaType } from "../../protocol/wire/Header.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import { ask as askActor } from "../../runtime/ActorSystem.ts"
import * as Callers from "./Callers.ts"
import * as Conditions from "./Conditions.ts"
import type { History, Word } from "./History.ts"
import * as Market from "./Market.ts"
import type { SweepOrder } from "./Retention.ts"
import type { Switching } from "./Switching.ts"
import type { World } from "./World.ts"

/** The name of the backfill of a run. */
const backfillName = "bf"

const verbs: ReadonlyArray<Word["verb"]> = [
  "retry",
  "retry",
  "skip",
  "cancel",
  "cancel",
  "quarantine",
  "quarantine",
  "invalidate",
  "invalidate",
  "reprocess"
]

/** Asks a host as an operator does; gives what the answer says. */
const askAdmin = ({ name, session }: Callers.Caller, verb: string, body: object, budgetMs: number) =>
  Effect.map(
    ask(session, { subject: ActorSubject.admin(name, verb), body, accept: MediaType.json, budgetMs }),
    ({ data }) => Option.getOrUndefined(Codec.fromJson(data))
  )

const aWord = (caller: Callers.Caller, word: Word, budgetMs: number): Callers.Question => {
  const { node, range, verb } = word
  const [start, end] = range
  return {
    what: verb,
    about: `${node} ${start}..${end}`,
    word,
    budgetMs,
    graceMs: Callers.marginMs,
    put: (id) => askAdmin(caller, verb, { nodeId: node, interval: Callers.interval, start, end, reason: id }, budgetMs)
  }
}

/** One window or two, or a few bars of one: time counts in bars, and jobs in windows. */
const drawRange = (world: World, verb: Word["verb"], spoiled: ReadonlyArray<Range>): Range => {
  const of = spoiled.length > 0 && world.chance(0.5) ? spoiled : Conditions.windows
  const [start, end] = Callers.choose(world, of)
  const isOfTime = verb === "invalidate" || verb === "reprocess"
  if (isOfTime && world.chance(0.4)) {
    const first = start + world.pick(Callers.windowBars) * Market.barMs
    return [first, first + (1 + world.pick(12)) * Market.barMs]
  }
  return [start, world.chance(0.3) ? end + Callers.windowBars * Market.barMs : end]
}

const drawWord = (world: World, { spoiled }: Conditions.Conditions): Word => {
  const verb = Callers.choose(world, verbs)
  const series = spoiled.length > 0 && world.chance(0.5) ? spoiled[0]!.series : world.pick(Callers.nodes.length)
  const ofSeries = spoiled.flatMap((each) => (each.series === series ? [each.range] : []))
  return { verb, node: Callers.nodes[series]!, range: drawRange(world, verb, ofSeries) }
}

/** How soon somebody says something else of windows that are just being filled anew. */
const soonMsMax = 600

/** Has an operator say something, and another before that the windows are to be filled anew: so there is work under way. */
const say = (caller: Callers.Caller, history: History, id: string, conditions: Conditions.Conditions): void => {
  const { world } = caller.process
  const word = drawWord(world, conditions)
  const budgetMs = Callers.choose(world, Callers.budgetsMs)
  if (!world.chance(0.5)) return Callers.putQuestion(caller, id, aWord(caller, word, budgetMs), history)
  Callers.putQuestion(caller, `${id}a`, aWord(caller, { ...word, verb: "reprocess" }, budgetMs), history)
  world.after(world.random() * soonMsMax, () => Callers.putQuestion(caller, id, aWord(caller, word, budgetMs), history))
}

const lookAtHistory = (world: World, caller: Callers.Caller): Callers.Question =>
  lookAt(caller, Callers.choose(world, Callers.nodes), Callers.choose(world, Callers.budgetsMs))

const lookAt = (caller: Callers.Caller, nodeId: string, budgetMs: number): Callers.Question => {
  return {
    what: "audit",
    about: `${nodeId} history`,
    budgetMs,
    graceMs: Callers.marginMs,
    put: () => askAdmin(caller, "audit", { nodeId, interval: Callers.interval, limit: 1, verify: true }, budgetMs)
  }
}

const demandEnsure = askActor(ensureMessage)

/** Has windows filled for which nobody waits. */
const aDemand = (world: World, caller: Callers.Caller): Callers.Question => {
  const nodeId = Callers.choose(world, Callers.nodes)
  const jobClass = Callers.choose(world, ["repair", "bulk", "verify"] as const)
  const [start, end] = Callers.choose(world, Conditions.windows)
  const budgetMs = Callers.choose(world, Callers.budgetsMs)
  const series = { nodeId, interval: Callers.interval }
  const ranges = RangeSet.clip(RangeSet.of(start, end), ...Callers.wanted)
  const demand = { series, ranges, sources: ["exchange"], jobClass, traceParent: "" }
  const put = (id: string) =>
    Callers.asCaller(
      caller,
      budgetMs,
      demandEnsure(Subject.series(nodeId, Callers.interval), { ...demand, cause: `demand:${id}` })
    )
  return { what: "demand", about: `${nodeId} ${start}..${end} ${jobClass}`, budgetMs, graceMs: 0, put }
}

/** How long operators wait for what they order. */
const patienceMs = 4000

const orderSweeps = (
  callers: ReadonlyArray<Callers.Caller>,
  history: History,
  orders: ReadonlyArray<SweepOrder>
): void => {
  for (const [index, { atMs, dryRun, series }] of orders.entries()) {
    const caller = callers[index % callers.length]!
    const of = series === "all" ? {} : { nodeId: Callers.nodes[series], interval: Callers.interval }
    const question: Callers.Question = {
      what: "sweep",
      about: `series ${series}`,
      budgetMs: patienceMs,
      graceMs: Callers.marginMs,
      put: () => askAdmin(caller, "sweep", { ...of, dryRun }, patienceMs)
    }
    caller.process.world.at(atMs, () => Callers.putQuestion(caller, `sweep${index}`, question, history))
  }
}

/** How often it is said again, for it may not have been heard. */
const saidTimes = 4
const saidEveryMs = 1000

/** Turns off that sources are asked, and on again; and once more when the trouble is over. */
const turnSwitches = (
  [caller]: ReadonlyArray<Callers.Caller>,
  history: History,
  { offAtMs, onAtMs }: Switching,
  overAtMs: number
): void => {
  const say = (atMs: number, on: boolean): void => {
    const question: Callers.Question = {
      what: "turnSwitch",
      about: `DISABLE_BACKFILL ${on ? "on" : "off"}`,
      budgetMs: saidEveryMs,
      graceMs: Callers.marginMs,
      put: (id) => askAdmin(caller!, "turnSwitch", { name: "DISABLE_BACKFILL", on, reason: id }, saidEveryMs)
    }
    const { world } = caller!.process
    world.at(atMs, () => Callers.putQuestion(caller!, `switch${atMs.toFixed(0)}`, question, history))
  }
  for (let time = 0; time < saidTimes; time++) {
    say(onAtMs + time * saidEveryMs, true)
    say(offAtMs + time * saidEveryMs, false)
    say(overAtMs + time * saidEveryMs, false)
  }
}

const ofBackfill = (caller: Callers.Caller, verb: string, more: object = {}): Callers.Question => ({
  what: verb,
  about: `backfill ${backfillName}`,
  budgetMs: patienceMs,
  graceMs: Callers.marginMs,
  put: () => askAdmin(caller, verb, { name: backfillName, ...more }, patienceMs)
})

const orderBackfill = (callers: ReadonlyArray<Callers.Caller>, history: History, wanted: Conditions.Order): void => {
  const [caller] = callers
  const { world } = caller!.process
  const { jobClass, node: nodeId, order, range } = wanted
  const spec = { nodeId, interval: Callers.interval, start: range[0], end: range[1], order, jobClass }
  for (const [index, atMs] of wanted.createdAtMs.entries()) {
    world.at(atMs, () =>
      Callers.putQuestion(caller!, `create${index}`, ofBackfill(caller!, "createBackfill", spec), history)
    )
  }
  for (const [index, { atMs, to }] of wanted.changes.entries()) {
    world.at(atMs, () => Callers.putQuestion(caller!, `change${index}`, ofBackfill(caller!, `${to}Backfill`), history))
  }
}

/** Has operators do what a run's conditions say, between two moments. */
export const load = (
  callers: ReadonlyArray<Callers.Caller>,
  history: History,
  conditions: Conditions.Conditions,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }
): void => {
  const plan = (count: number, act: (caller: Callers.Caller, number: number) => void): void => {
    for (let number = 0; number < count; number++) {
      const caller = callers[number % callers.length]!
      const { world } = caller.process
      world.at(world.between(fromMs, toMs), () => act(caller, number))
    }
  }
  const put = (caller: Callers.Caller, id: string, draw: (world: World, caller: Callers.Caller) => Callers.Question) =>
    Callers.putQuestion(caller, id, draw(caller.process.world, caller), history)
  plan(conditions.words, (caller, number) => say(caller, history, `word${number}`, conditions))
  plan(conditions.demands, (caller, number) => put(caller, `demand${number}`, aDemand))
  plan(1, (caller) => put(caller, "audit", lookAtHistory))
  if (conditions.switching !== undefined) turnSwitches(callers, history, conditions.switching, toMs)
  if (conditions.backfill !== undefined) orderBackfill(callers, history, conditions.backfill)
  if (conditions.retention !== undefined) orderSweeps(callers, history, conditions.retention.orders)
}

/** Has everything filled that is missing, before it is read for the last time. */
export const fillAll = (caller: Callers.Caller, history: History): void => {
  const { session } = caller
  for (const [index, nodeId] of Callers.nodes.entries()) {
    const [start, end] = Callers.wanted
    const body = { nodeId, interval: Callers.interval, start, end, sla: { totalDeadlineMs: patienceMs } }
    const question: Callers.Question = {
      what: "ensure",
      about: `${nodeId} before the last read`,
      budgetMs: patienceMs,
      graceMs: Callers.marginMs,
      put: () => ask(session, { subject: Subject.service.ensure, body, accept: MediaType.json, budgetMs: patienceMs })
    }
    Callers.putQuestion(caller, `fill${index}`, question, history)
  }
}

/** Looks how the accounts stand: by then their actor is awake, and knows what is under way. */
export const lookAtAccounts = (caller: Callers.Caller, history: History): void => {
  const question: Callers.Question = {
    what: "upstreams",
    about: "all accounts",
    budgetMs: patienceMs,
    graceMs: Callers.marginMs,
    put: () => askAdmin(caller, "upstreams", {}, patienceMs)
  }
  Callers.putQuestion(caller, "accounts", question, history)
}

/** Has all windows tried again that wait for a person, where nothing keeps them from being filled any more. */
export const retryAll = (caller: Callers.Caller, history: History): void => {
  for (const [index, node] of Callers.nodes.entries()) {
    const range: Range = [Conditions.windows[0]![0], Callers.wanted[1]]
    Callers.putQuestion(caller, `again${index}`, aWord(caller, { verb: "retry", node, range }, patienceMs), history)
  }
}

/** Looks how a run's backfill stands in the end, and whether histories hold of which something was swept. */
export const lookAtEnd = (
  caller: Callers.Caller,
  history: History,
  { backfill, retention }: Conditions.Conditions
): void => {
  if (backfill !== undefined) Callers.putQuestion(caller, "stands", ofBackfill(caller, "backfill"), history)
  if (retention === undefined) return
  for (const [index, node] of Callers.nodes.entries()) {
    Callers.putQuestion(caller, `holds${index}`, lookAt(caller, node, patienceMs), history)
  }
}

/** Writes down what is told of jobs. */
export const listen = ({ process, session }: Callers.Caller, history: History): void => {
  const { world } = process
  process.run(
    Effect.scoped(
      Effect.andThen(
        session.mesh.subscribe(Subject.jobEvent("*", ">"), ({ data }) => {
          history.events.push({ atMs: world.nowMs, data })
        }),
        Effect.never
      )
    )
  )
}
