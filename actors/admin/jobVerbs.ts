/** How are operators answered who ask about jobs and stored time? */
import { Effect, Option, Schema } from "effect"
import { BackfillJob } from "../../protocol/history/BackfillJob.ts"
import * as Window from "../../protocol/history/Window.ts"
import type { Coverage } from "../../protocol/messages/Coverage.ts"
import { jobAdmin } from "../../protocol/messages/JobAdmin.ts"
import { UnknownJob } from "../../protocol/messages/JobErrors.ts"
import type { JobVerb } from "../../protocol/messages/Operate.ts"
import type { Verifier } from "../../protocol/messages/Verify.ts"
import type { ActorSystem } from "../../runtime/ActorSystem.ts"
import type { responder } from "../../runtime/AdminEndpoint.ts"
import type { Mesh } from "../../runtime/Mesh.ts"
import type { Respond } from "../../runtime/ServiceEndpoint.ts"
import type { SeriesCatalog } from "../sources/SeriesCatalog.ts"
import { invalidateRange, reprocessRange } from "./invalidateRange.ts"
import { listJobs } from "./listJobs.ts"
import { operateWindows } from "./operateWindows.ts"
import { verifyWindow } from "./verifyWindow.ts"
import { jobAt, type Meant, type NamedSeries, seriesOf } from "./windowsOf.ts"

/** A source is asked, and may have to be waited for. */
const verifyWithinMs = 15_000

const encodeJob = Schema.encodeSync(BackfillJob)

const showJob = Effect.fnUntraced(function* (asked: NamedSeries & Meant & { readonly windowStart: number }) {
  const { entry, grid } = yield* seriesOf(asked)
  const windowStart = Window.windowStart(grid, asked.windowStart)
  const job = yield* jobAt(entry.series, windowStart, asked)
  if (Option.isNone(job))
    return yield* new UnknownJob({
      ...entry.series,
      windowStart,
      ...(asked.source !== undefined && { source: asked.source })
    })
  return { job: encodeJob(job.value) }
})

/** The verbs about jobs and stored time, each with what answers it. */
export const jobVerbs = Effect.fnUntraced(function* (respond: ReturnType<typeof responder>) {
  const provide = Effect.provide(yield* Effect.context<Mesh | SeriesCatalog | Coverage | ActorSystem | Verifier>())
  const changing = { isChanging: true }
  const operate = (verb: JobVerb): Respond =>
    respond(verb, jobAdmin[verb], (asked, who) => provide(operateWindows(verb, asked, who)), changing)
  return {
    jobs: respond("jobs", jobAdmin.jobs, (asked) => provide(listJobs(asked))),
    job: respond("job", jobAdmin.job, (asked) => provide(showJob(asked))),
    retry: operate("retry"),
    skip: operate("skip"),
    cancel: operate("cancel"),
    quarantine: operate("quarantine"),
    invalidate: respond(
      "invalidate",
      jobAdmin.invalidate,
      (asked, who) => provide(invalidateRange(asked, who)),
      changing
    ),
    reprocess: respond("reprocess", jobAdmin.reprocess, (asked, who) => provide(reprocessRange(asked, who)), changing),
    verify: respond("verify", jobAdmin.verify, (asked) => provide(verifyWindow(asked)), { withinMs: verifyWithinMs }),
    repair: respond("repair", jobAdmin.repair, (asked, who) => provide(verifyWindow(asked, who)), {
      withinMs: verifyWithinMs,
      ...changing
    })
  } satisfies Readonly<Record<keyof typeof jobAdmin, Respond>>
})
