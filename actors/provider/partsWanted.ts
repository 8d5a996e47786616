/** Does a caller take an answer in parts, and from where on? Its headers say so. */
import { Effect } from "effect"
import { InvalidRequest } from "../../protocol/history/Errors.ts"
import { Header } from "../../protocol/wire/Header.ts"
import { granted } from "../../runtime/Credits.ts"
import type { Message } from "../../runtime/Mesh.ts"

/** How a caller takes an answer. */
export interface PartsWanted {
  /** How many parts may be on their way at once. */
  readonly credit: number
  /** Where the answer goes on. */
  readonly cursor: string | undefined
}

const refuse = (field: string, problem: string) => Effect.fail(new InvalidRequest({ field, problem }))

/** Whether the caller takes parts, and from where on; undefined where it does not. */
export const partsWanted = ({ headers }: Message): Effect.Effect<PartsWanted | undefined, InvalidRequest> => {
  const text = headers.get(Header.credit)?.trim()
  const cursor = headers.get(Header.cursor)?.trim()
  if (text === undefined) {
    return cursor === undefined
      ? Effect.succeed(undefined)
      : refuse(Header.cursor, `is given with ${Header.credit}, which says how many parts may be on their way`)
  }
  const credit = granted(text)
  return credit === 0
    ? refuse(Header.credit, `${JSON.stringify(text)} is no number of parts: a whole number, 1 or more`)
    : Effect.succeed({ credit, cursor })
}
