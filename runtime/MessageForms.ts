/** What has a message to an actor to look like, and how does it get into its wire form and back? */
import { Result, Schema } from "effect"
import type { Action, StepContext } from "./StepContext.ts"

/** Any form of plain data. */
export type Form = Schema.Codec<unknown, unknown>

/** One message: what is sent, what is answered, and how it can fail. */
export interface MessageForms {
  readonly payload: Form
  /** Nothing is answered where it is absent. */
  readonly reply?: Form
  readonly failure?: Form
  /** It changes nothing, and is answered from what was last saved without waiting for its turn. */
  readonly readOnly?: boolean
}

/** The messages of a type, by name. */
export type AllForms = Readonly<Record<string, MessageForms>>

/** The payloads of messages, by name. */
export type Payloads<M extends AllForms> = { readonly [Name in keyof M]: M[Name]["payload"]["Type"] }

/** What is answered to a message. */
export type ReplyOf<M extends MessageForms> = M["reply"] extends Form ? M["reply"]["Type"] : undefined

/** How a message can fail. */
export type FailureOf<M extends MessageForms> = M["failure"] extends Form ? M["failure"]["Type"] : never

type Replied<M extends MessageForms> = M["reply"] extends Form
  ? { readonly reply: M["reply"]["Type"] }
  : { readonly reply?: undefined }

/** What a step gives. Without `state` the state stays as it is; a failure changes nothing. */
export type Outcome<State, M extends MessageForms> =
  | (Replied<M> & { readonly state?: State; readonly actions?: ReadonlyArray<Action>; readonly failure?: undefined })
  | (M["failure"] extends Form ? { readonly failure: FailureOf<M> } : never)

/** The pure steps of an actor, by message. */
export type Steps<State, M extends AllForms> = {
  readonly [Name in keyof M]: (
    state: State,
    payload: M[Name]["payload"]["Type"],
    context: StepContext<Payloads<M>>
  ) => Outcome<State, M[Name]>
}

/** From a value to its wire form or back, or what is wrong with it. */
type Code = (value: unknown) => Result.Result<unknown, string>

/** The coding of one message, made once. */
export interface MessageCodec {
  readonly readOnly: boolean
  readonly encodePayload: Code
  readonly decodePayload: Code
  readonly encodeReply: Code
  readonly decodeReply: Code
  readonly encodeFailure: Code
  readonly decodeFailure: Code
}

const told =
  (code: (value: unknown) => Result.Result<unknown, { readonly message: string }>): Code =>
  (value) =>
    Result.mapError(code(value), ({ message }) => message)

/** Encodes by a form. */
export const encoder = (form: Form): Code => told(Schema.encodeUnknownResult(form))

/** Decodes by a form. */
export const decoder = (form: Form): Code => told(Schema.decodeUnknownResult(form))

// what nobody declared is nothing
const toNothing: Code = () => Result.succeed(null)
const fromNothing: Code = () => Result.succeed(undefined)

const codecOf = ({ failure = Schema.Null, payload, readOnly = false, reply }: MessageForms): MessageCodec => ({
  readOnly,
  encodePayload: encoder(payload),
  decodePayload: decoder(payload),
  encodeReply: reply === undefined ? toNothing : encoder(reply),
  decodeReply: reply === undefined ? fromNothing : decoder(reply),
  encodeFailure: encoder(failure),
  decodeFailure: decoder(failure)
})

/** The codings of messages, by name. */
export const codecsOf = (messages: AllForms): ReadonlyMap<string, MessageCodec> =>
  new Map(Object.entries(messages).map(([name, forms]) => [name, codecOf(forms)]))
