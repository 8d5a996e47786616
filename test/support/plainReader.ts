/**
 * How does anyone read an answer in parts who knows NATS and the protocol, and nothing of the client library?
 *
 * One request under one name, whose parts come in as the reader grants them. What is done about a part that is lost, or
 * does not come, is the test's to say.
 */
import { createInbox, headers as makeHeaders, type Msg, type NatsConnection } from "@nats-io/transport-node"
import { Effect, type Scope } from "effect"
import { type Table, tableFromIPC } from "apache-arrow"
import * as CallSubject from "../../protocol/wire/CallSubject.ts"
import { arrowMetaKey, Header, MediaType } from "../../protocol/wire/Header.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import { untilTrue } from "./untilTrue.ts"

/** A part as it came. */
export interface Part {
  readonly number: number
  readonly bytes: number
  readonly times: ReadonlyArray<number>
  readonly closes: ReadonlyArray<number>
  readonly cursor: string | undefined
  readonly isLast: boolean
  readonly meta: { readonly fingerprint: string; readonly coverageVersion: number } | undefined
  readonly error: { readonly tag: string; readonly message: string } | undefined
}

const decoder = new TextDecoder()

const numbersOf = (table: Table, name: string): ReadonlyArray<number> =>
  Array.from(table.getChild(name)?.toArray() ?? [], Number)

const partOf = ({ data, headers }: Msg): Part => {
  const given = (name: string): string | undefined => headers?.get(name) || undefined
  const about = { number: Number(given(Header.part) ?? -1), bytes: data.length, cursor: given(Header.cursor) }
  const isLast = given(Header.last) === "true"
  if (given(Header.error) !== undefined) {
    const { error } = JSON.parse(decoder.decode(data))
    return { ...about, isLast, times: [], closes: [], meta: undefined, error }
  }
  const table = tableFromIPC(data)
  const meta = table.schema.metadata.get(arrowMetaKey)
  return {
    ...about,
    isLast,
    times: numbersOf(table, "event_time"),
    closes: numbersOf(table, "close"),
    meta: meta === undefined ? undefined : JSON.parse(meta),
    error: undefined
  }
}

/** What is asked. */
export interface Asked {
  readonly body: object
  readonly credit?: number
  readonly cursor?: string
  readonly call?: string
  /** What is left of the caller's time, in milliseconds. */
  readonly budgetMs?: number
}

/** A request that is being answered. */
export interface Reading {
  /** All that came so far. */
  readonly parts: ReadonlyArray<Part>
  readonly until: (count: number) => Effect.Effect<void>
  /** Takes so many more. */
  readonly grant: (more: number) => void
  /** Whether the end has come: the last part, the whole, or an error. */
  readonly isOver: () => boolean
}

const isEnd = ({ error, isLast, number }: Part): boolean => isLast || error !== undefined || number < 0

/** Asks for rows in parts; `onPart` is called with each. */
export const ask = (
  nc: NatsConnection,
  { body, budgetMs, call, credit = 1, cursor }: Asked,
  onPart: (part: Part, reading: Reading) => void = () => undefined
): Effect.Effect<Reading, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const parts: Array<Part> = []
      let flow: string | undefined
      const reading: Reading = {
        parts,
        until: (count) =>
          untilTrue(
            `${count} parts came`,
            Effect.sync(() => parts.length >= count),
            60_000
          ),
        grant: (more) => {
          if (flow !== undefined && !nc.isClosed()) nc.publish(flow, String(more))
        },
        isOver: () => parts.some(isEnd)
      }
      const inbox = createInbox()
      const subscription = nc.subscribe(inbox, {
        callback: (_error, message) => {
          flow ??= message.headers?.get(Header.flow) || undefined
          const part = partOf(message)
          parts.push(part)
          onPart(part, reading)
        }
      })
      const headers = makeHeaders()
      headers.set(Header.accept, MediaType.arrow)
      headers.set(Header.credit, String(credit))
      if (cursor !== undefined) headers.set(Header.cursor, cursor)
      if (call !== undefined) headers.set(Header.call, call)
      if (budgetMs !== undefined) headers.set(Header.budgetMs, String(budgetMs))
      nc.publish(Subject.service.read, JSON.stringify(body), { reply: inbox, headers })
      return { reading, subscription }
    }),
    ({ subscription }) => Effect.sync(() => subscription.unsubscribe())
  ).pipe(Effect.map(({ reading }) => reading))

/** Calls off what was asked under a name. */
export const cancel = (nc: NatsConnection, call: string): void => nc.publish(CallSubject.cancel(call))

/** Takes one more for each part that came. */
export const steadily = (_part: Part, { grant }: Reading): void => grant(1)
