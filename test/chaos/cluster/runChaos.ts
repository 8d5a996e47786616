/** How does a run go, from the first process to the verdict? */
import { Effect, Fiber } from "effect"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Bottle from "./Bottle.ts"
import { tracks } from "./Fault.ts"
import { type Figures, figuresOf } from "./figures.ts"
import * as History from "./History.ts"
import { inflictTrack } from "./inflict.ts"
import { collect, judge } from "./judge.ts"
import * as operations from "./operations.ts"
import { timelinePage } from "./timelinePage.ts"
import { unsettled } from "./untilSettled.ts"

/** What a run is to be. */
export interface ChaosOptions {
  readonly seed: number
  /** How long faults are begun. */
  readonly forMs: number
  /** Where the history, the timeline and the logs go; nowhere without it. */
  readonly out: string | undefined
}

/** What a run has shown. */
interface Verdict {
  /** One line each; empty where every promise was kept. */
  readonly violations: ReadonlyArray<string>
  readonly figures: Figures
}

const settledWithinMs = 30_000

// the cluster is at rest, and then at work, before anything goes wrong
const calmMs = 3000

const write = (out: string | undefined, title: string, history: History.History): void => {
  if (out === undefined) return
  const lines = history.lines()
  writeFileSync(join(out, "history.jsonl"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""))
  writeFileSync(join(out, "timeline.html"), timelinePage(title, lines))
}

/** Members that died in the run, or are not there at its end, though nobody ended them. */
const deaths = ({ members }: Bottle.Bottle, history: History.History): ReadonlyArray<string> => {
  for (const { current, name } of members) {
    if (!Bottle.isAlive(current().pid)) history.event(History.diedByItself, name)
  }
  return history
    .events()
    .filter(({ what }) => what === History.diedByItself)
    .map(({ atMs, lane }) => `member ${lane} died by itself, ${Math.round(atMs / 1000)} s into the run at the latest`)
}

/** The faults, then what is left to do, then what there is to see; the cluster is gone afterwards. */
const disturb = Effect.fnUntraced(function* (history: History.History, { forMs, out, seed }: ChaosOptions) {
  const bottle = yield* Bottle.start({ history, logFolder: out })
  const seen = operations.makeSeen()
  const beganMs = history.nowMs()
  const untilMs = beganMs + calmMs + forMs
  const load = yield* operations.start(bottle.clients, { history, seen, seed, forMs: calmMs + forMs })
  yield* Effect.sleep(calmMs)
  yield* Effect.forEach(tracks, (track) => inflictTrack({ bottle, history, seed, untilMs }, track), {
    concurrency: "unbounded",
    discard: true
  })
  const lastFaultMs = history.nowMs()
  const stopping = yield* Effect.forkScoped(load.stop)
  let doneMs = lastFaultMs
  const late = yield* unsettled(bottle, {
    keys: operations.counterKeys,
    quiet: Effect.map(Fiber.join(stopping), () =>
      history
        .operations()
        .filter(({ what }) => what === "ring")
        .map(({ key }) => key)
    ),
    withinMs: settledWithinMs,
    done: (what) => {
      doneMs = history.nowMs()
      history.event(what, "work", doneMs)
    }
  })
  yield* Fiber.join(stopping)
  return {
    evidence: yield* collect(bottle, history, seen),
    broken: [...deaths(bottle, history), ...late.map((what) => `not within ${settledWithinMs} ms: ${what}`)],
    moments: { beganMs, settledMs: doneMs - lastFaultMs }
  }
}, Effect.scoped)

/** Runs a cluster in a bottle through faults, and judges what it did; on the real clock only. */
export const runChaos = Effect.fnUntraced(function* (options: ChaosOptions) {
  const { forMs, out, seed } = options
  if (out !== undefined) mkdirSync(out, { recursive: true })
  const history = History.make()
  yield* Effect.addFinalizer(() => Effect.sync(() => write(out, `seed ${seed}, ${forMs / 60_000} minutes`, history)))
  const { broken, evidence, moments } = yield* disturb(history, options)
  return {
    violations: [...broken, ...judge(evidence, history)],
    figures: figuresOf(history, moments)
  } satisfies Verdict
})
