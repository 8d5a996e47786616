/**
 * What is said to and by the backfills that have a name?
 *
 * One actor a name. It has the coverage actor fill its range, and is told to pause, to go on, or to stop for good.
 */
import { Context, type Effect, Schema } from "effect"
import { BackfillEnded, BackfillExists, UnknownBackfill } from "../history/BackfillErrors.ts"
import { BackfillReport, BackfillSpec, type BackfillSummary, NamedBackfill } from "../history/NamedBackfill.ts"
import { define } from "../wire/ActorMessage.ts"
import type { Undelivered } from "../wire/Envelope.ts"
import type { MeshUnavailable } from "../wire/Errors.ts"

/** The name of the actor type; the key is the name of the backfill. */
export const backfillActor = "backfill"

/** The state of the actor: its record, and null where nothing was ever created under its name. */
export const BackfillState = Schema.NullOr(NamedBackfill)

/** What is to be done, and who says so. */
export const CreateBackfill = Schema.Struct({ spec: BackfillSpec, by: Schema.String })
export type CreateBackfill = typeof CreateBackfill.Type

/** How it is to stand from now on, and who says so. */
export const ChangeBackfill = Schema.Struct({
  to: Schema.Literals(["running", "paused", "cancelled"]),
  by: Schema.String
})
export type ChangeBackfill = typeof ChangeBackfill.Type

/** `create` of a named backfill: one that is there with the same specification is as good. */
export const createMessage = define({
  actor: backfillActor,
  name: "create",
  payload: CreateBackfill,
  success: BackfillReport,
  failure: BackfillExists
})

/** `show` of a named backfill. */
export const showMessage = define({
  actor: backfillActor,
  name: "show",
  payload: Schema.Null,
  success: BackfillReport,
  failure: UnknownBackfill
})

/** `change` of a named backfill: to be as it is already is as good. */
export const changeMessage = define({
  actor: backfillActor,
  name: "change",
  payload: ChangeBackfill,
  success: BackfillReport,
  failure: Schema.Union([UnknownBackfill, BackfillEnded])
})

/** The backfills that there are, by their records: figures are as of when they were last saved. */
export interface BackfillList {
  /** The newest, the newest last. */
  readonly backfills: ReadonlyArray<BackfillSummary>
  /** How many there are in all. */
  readonly total: number
}

/** Why a backfill could not be asked. */
type Unasked = Undelivered | MeshUnavailable

/** All named backfills, wherever their actors live. */
export class Backfills extends Context.Service<
  Backfills,
  {
    readonly create: (name: string, order: CreateBackfill) => Effect.Effect<BackfillReport, BackfillExists | Unasked>
    readonly show: (name: string) => Effect.Effect<BackfillReport, UnknownBackfill | Unasked>
    readonly change: (
      name: string,
      change: ChangeBackfill
    ) => Effect.Effect<BackfillReport, UnknownBackfill | BackfillEnded | Unasked>
    readonly list: Effect.Effect<BackfillList, MeshUnavailable>
  }
>()("seamless/messages/Backfills") {}
