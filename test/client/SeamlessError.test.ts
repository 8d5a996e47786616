/** Does an error say what it is, with the fields of its tag, and whether another try is worth it? */
import { assert, describe, expectTypeOf, it } from "vitest"
import type { ErrorFields } from "../../client/ErrorFields.ts"
import { SeamlessError } from "../../client/SeamlessError.ts"
import type * as History from "../../protocol/history/Errors.ts"
import type { BudgetUnavailable } from "../../protocol/history/BudgetUnavailable.ts"
import type { UnknownPoint } from "../../protocol/history/UnknownPoint.ts"
import type { BackfillOff } from "../../protocol/messages/BackfillOff.ts"
import type * as Wire from "../../protocol/wire/Errors.ts"
import type * as Limits from "../../protocol/wire/LimitErrors.ts"

/** The errors of the protocol that reach a client. */
type Told =
  | History.InvalidRequest
  | History.UnalignedRange
  | History.RangeTooLarge
  | History.UnknownSeries
  | History.CoverageMissing
  | History.SourceUnavailable
  | History.RowsRejected
  | History.WindowQuarantined
  | History.StrictViolation
  | History.SlaViolated
  | History.ResultTooLarge
  | History.StoreDamaged
  | BudgetUnavailable
  | UnknownPoint
  | BackfillOff
  | Wire.MailboxFull
  | Wire.ActorUnavailable
  | Wire.DeadlineExceeded
  | Wire.ActorStopped
  | Wire.MessageDeadLettered
  | Wire.OutcomeUnknown
  | Wire.MeshUnavailable
  | Wire.MalformedMessage
  | Limits.RequestTooLarge
  | Limits.TooManyRequests
  | Limits.TooManyReads

type FieldsOf = { readonly [E in Told as E["_tag"]]: E }

/** Tags whose fields are not those of the protocol's error; none. */
type Unlike = { [Tag in keyof FieldsOf]: FieldsOf[Tag] extends ErrorFields[Tag] ? never : Tag }[keyof FieldsOf]

type KeysOf<Fields> = Fields extends unknown ? keyof Fields : never

/** What all of them have is no field. */
type OfError = keyof Told

type OwnKeys<Tag extends keyof FieldsOf> = Exclude<keyof FieldsOf[Tag], OfError>

/** Fields that the protocol's error has and the client's has not; none. */
type Untold = {
  [Tag in keyof FieldsOf]: Exclude<OwnKeys<Tag>, KeysOf<ErrorFields[Tag]>> extends infer Key extends string
    ? `${Tag}.${Key}`
    : never
}[keyof FieldsOf]

/** Fields that the client's has and the protocol's error has not: where the client was connected to, where it tells. */
type Made = {
  [Tag in keyof FieldsOf]: Exclude<KeysOf<ErrorFields[Tag]>, keyof FieldsOf[Tag] | "servers"> extends infer Key extends
    string
    ? `${Tag}.${Key}`
    : never
}[keyof FieldsOf]

describe("ErrorFields", () => {
  it("has each error of the protocol that reaches a client, with its fields, and the client's own", () => {
    expectTypeOf<Unlike>().toEqualTypeOf<never>()
    expectTypeOf<Untold>().toEqualTypeOf<never>()
    expectTypeOf<Made>().toEqualTypeOf<never>()
    expectTypeOf<keyof ErrorFields>().toEqualTypeOf<keyof FieldsOf | "NoHostAnswers" | "Cancelled">()
  })
})

const errorOf = (tag: string, code: number) => new SeamlessError({ tag, code, message: "m", fields: { known: ["a"] } })

describe("SeamlessError", () => {
  it("is() tells the tag, and with it the fields", () => {
    const error = errorOf("UnknownSeries", 404)
    assert.isFalse(error.is("InvalidRequest"))
    assert.isTrue(error.is("UnknownSeries"))
    if (error.is("UnknownSeries")) {
      expectTypeOf(error.fields.known).toEqualTypeOf<ReadonlyArray<string>>()
      assert.deepStrictEqual(error.fields.known, ["a"])
    }
  })

  it.each([
    ["UnknownSeries", 404, false],
    ["TooManyRequests", 429, true],
    ["StoreDamaged", 500, true],
    ["BackfillOff", 503, false],
    ["SourceUnavailable", 503, true],
    ["SlaViolated", 504, false],
    ["NoHostAnswers", 503, true],
    ["Cancelled", 499, false],
    ["OfTomorrow", 503, true],
    ["OfTomorrow", 409, false]
  ] as const)("%s with %i: another try is worth it: %s", (tag, code, isRetryable) => {
    assert.strictEqual(errorOf(tag, code).isRetryable, isRetryable)
  })
})
