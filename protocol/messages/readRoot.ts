/** Which root does a record of the coverage bucket hold? */
import { Option, Result, Schema } from "effect"
import { CoverageRoot } from "../history/CoverageRoot.ts"
import { StoreDamaged } from "../history/Errors.ts"
import * as Codec from "../wire/Codec.ts"
import { StateRecord } from "../wire/StateRecord.ts"

const RootRecord = Schema.Struct({ ...StateRecord.fields, state: CoverageRoot })
const decodeRecord = Schema.decodeUnknownOption(RootRecord)

/** The root in a record; none where there is no record. One that can't be read is not the same as none. */
export const readRoot = (
  key: string,
  value: Option.Option<Uint8Array>
): Result.Result<Option.Option<CoverageRoot>, StoreDamaged> =>
  Option.match(value, {
    onNone: () => Result.succeed(Option.none()),
    onSome: (bytes) =>
      Option.match(Option.flatMap(Codec.fromJson(bytes), decodeRecord), {
        onNone: () => Result.fail(new StoreDamaged({ key, problem: "is no coverage root of format 1" })),
        onSome: ({ state }) => Result.succeed(Option.some(state))
      })
  })
