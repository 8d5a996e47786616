/** What do the loop's host and client write to each other? The same as ours do, in the same fields. */

/** The one subject that its host listens at. */
export const subject = "bench.equal"

/** A message to an actor. */
export interface Request<Payload> {
  readonly format: number
  readonly to: { readonly type: string; readonly key: string }
  readonly id: string
  readonly cause: string
  readonly budgetMs: number
  readonly body: { readonly message: string; readonly payload: Payload }
}

/** The actor's answer. */
export interface Reply<Body> {
  readonly format: number
  readonly body: Body
}
