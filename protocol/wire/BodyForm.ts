/**
 * In which form is a body, and in which is an answer wanted?
 *
 * `Content-Type` names a body's form, and `Accept` lists those that are wanted, with their weights. What is said here
 * holds for every service; which forms one of them serves is its own matter.
 */
import type { Option } from "effect"
import * as Codec from "./Codec.ts"
import { MediaType } from "./Header.ts"
import * as PlainPack from "./PlainPack.ts"
import { unpackPlain } from "./unpackPlain.ts"

/** The forms in which every request may be, and every answer may be wanted. */
export type BodyForm = "json" | "messagePack"

/** One of the forms that a header lists, with its parameters as they are written. */
export interface ListedForm {
  readonly name: string
  readonly parameters: ReadonlyArray<string>
}

/** Other names of the same form. */
const messagePackNames: ReadonlyArray<string> = [
  MediaType.messagePack,
  "application/x-msgpack",
  "application/vnd.msgpack"
]

const anyForm: ReadonlyArray<string> = ["*/*", "application/*"]

/** The form that a name stands for; what may be any is JSON. */
const namedForm = (name: string): BodyForm | undefined => {
  if (messagePackNames.includes(name)) return "messagePack"
  return name === MediaType.json || anyForm.includes(name) ? "json" : undefined
}

const listed = (header: string): ReadonlyArray<ListedForm> =>
  header.split(",").map((form) => {
    const [name = "", ...parameters] = form.split(";").map((part) => part.trim().toLowerCase())
    return { name, parameters }
  })

/** What a weight is worth: 1 without one, and where it is no number. */
const weightOf = ({ parameters }: ListedForm): number => {
  const weight = Number(parameters.find((each) => each.startsWith("q="))?.slice(2) ?? 1)
  return Number.isNaN(weight) ? 1 : weight
}

/** The forms that `Accept` lists, those first that are wanted most; one whose weight is 0 is not wanted. */
export const acceptedForms = (accept: string | undefined): ReadonlyArray<ListedForm> =>
  listed(accept ?? MediaType.json)
    .filter((form) => weightOf(form) > 0)
    .toSorted((a, b) => weightOf(b) - weightOf(a))

/** The form that an answer has which is JSON or MessagePack; undefined where `Accept` wants neither. */
export const answerForm = (accept: string | undefined): BodyForm | undefined =>
  acceptedForms(accept).reduce<BodyForm | undefined>((found, { name }) => found ?? namedForm(name), undefined)

/** The form of a body, by its `Content-Type`; undefined where no service reads it. */
export const contentForm = (contentType: string | undefined): BodyForm | undefined => {
  const name = listed(contentType ?? MediaType.json)[0]?.name ?? ""
  return anyForm.includes(name) ? undefined : namedForm(name)
}

/** What a body says; none where it is not of its form. */
export const decodeBody = (form: BodyForm, data: Uint8Array): Option.Option<unknown> =>
  form === "json" ? Codec.fromJson(data) : unpackPlain(data)

/** A value as the bytes of a form. */
export const encodeBody = (form: BodyForm, value: unknown): Uint8Array =>
  form === "json" ? Codec.toJson(value) : PlainPack.pack(value)

/** What the `Content-Type` of a form is. */
export const mediaTypeOf = (form: BodyForm): string => MediaType[form]
