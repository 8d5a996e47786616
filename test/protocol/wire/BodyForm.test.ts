/** Is the form of a body the one that its headers name? */
import { assert, describe, it } from "@effect/vitest"
import * as BodyForm from "../../../protocol/wire/BodyForm.ts"

describe("BodyForm", () => {
  it("contentForm() takes JSON and each name of MessagePack, and JSON where nothing is said", () => {
    const cases = [
      [undefined, "json"],
      ["application/json; charset=utf-8", "json"],
      ["application/msgpack", "messagePack"],
      ["Application/X-Msgpack", "messagePack"],
      ["application/vnd.msgpack", "messagePack"],
      ["*/*", undefined],
      ["text/csv", undefined],
      ["", undefined]
    ] as const
    for (const [header, form] of cases) assert.strictEqual(BodyForm.contentForm(header), form, header)
  })

  it("answerForm() is what is wanted most of what is served", () => {
    const cases = [
      [undefined, "json"],
      ["*/*", "json"],
      ["application/*", "json"],
      ["application/msgpack", "messagePack"],
      ["application/msgpack, application/json", "messagePack"],
      ["application/msgpack;q=0.5, application/json", "json"],
      ["application/json;q=0.2, application/msgpack;q=0.3", "messagePack"],
      ["application/json;q=0, application/msgpack;q=0.1", "messagePack"],
      ["application/json;q=0", undefined],
      ["text/csv, */*;q=0.1", "json"],
      ["application/json;q=much", "json"],
      ["application/vnd.apache.arrow.stream", undefined],
      ["application/vnd.apache.arrow.stream, application/msgpack;q=0.1", "messagePack"],
      ["", undefined]
    ] as const
    for (const [header, form] of cases) assert.strictEqual(BodyForm.answerForm(header), form, header)
  })
})
