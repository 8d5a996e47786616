/** How are bars asked for, and what is made of the answer? */
import { Effect, Option } from "effect"
import * as FrameCodec from "../protocol/frame/FrameCodec.ts"
import * as Interval from "../protocol/history/Interval.ts"
import { arrowMetaKey, dictionaryParameter, MediaType } from "../protocol/wire/Header.ts"
import * as Subject from "../protocol/wire/Subject.ts"
import { monotonicMs } from "../runtime/Deadline.ts"
import { type HistoryFrame, join, toHistoryFrame } from "./HistoryFrame.ts"
import { askedTimes } from "./askedTimes.ts"
import { askPatiently } from "./askPatiently.ts"
import { HistoryMeta, type HistoryResult } from "./HistoryResult.ts"
import * as PartReader from "./PartReader.ts"
import { type Asked, type ReadOptions, requestBody } from "./requestBody.ts"
import type { SeamlessError } from "./SeamlessError.ts"
import { malformed } from "./failures.ts"
import { decoder, type Question, type Session } from "./Session.ts"
import { withinDeadline } from "./withinDeadline.ts"

/** The rows of an answer in Arrow. */
export const decodeArrow = (bytes: Uint8Array): Effect.Effect<HistoryFrame, SeamlessError> =>
  Effect.try({
    try: () => toHistoryFrame(FrameCodec.toTable(bytes)),
    catch: (cause) => malformed("the frame", String(cause))
  })

const decode = decoder(HistoryMeta, "the account of the answer")

const textEncoder = new TextEncoder()

/** The account that comes with rows; undefined where none does. */
export const metaTextOf = (df: HistoryFrame): string | undefined => df.schema.metadata.get(arrowMetaKey)

/** The account that came with rows. */
export const decodeMeta = (text: string | undefined): Effect.Effect<HistoryMeta, SeamlessError> =>
  decode(textEncoder.encode(text ?? ""))

/** The form that rows are wanted in: a text that many rows have comes once. */
export const arrowWanted = `${MediaType.arrow}; ${dictionaryParameter}=true`

/** The question for a range. */
export const questionOf = Effect.fnUntraced(function* (asked: Asked<ReadOptions>) {
  const options = asked[4] ?? {}
  // said each time: what the service does where nothing is said can be set by its operator
  const returnMeta = options.returnMeta ?? true
  const question: Question = {
    subject: Subject.service.read,
    body: { ...(yield* requestBody(asked)), returnMeta },
    accept: arrowWanted,
    ...askedTimes(options, "seamless"),
    isCancellable: options.signal !== undefined
  }
  return { question, returnMeta }
})

// prices, a time, flags, and where the row came from
const rowBytesGuess = 100

/** Whether so many rows are likely to be more than one message carries. */
const isLarge = ({ mesh }: Session, [, interval, start, end]: Asked<ReadOptions>): boolean =>
  Option.match(Interval.parse(interval), {
    onNone: () => false,
    onSome: ({ lengthMs }) => ((Number(end) - Number(start)) / lengthMs) * rowBytesGuess > mesh.payloadBytesMax()
  })

/** All parts of an answer put together. */
const readParts = (session: Session, question: Question) =>
  Effect.gen(function* () {
    const pull = yield* PartReader.open(session, question)
    const parts: Array<HistoryFrame> = []
    for (;;) {
      const message = yield* pull
      if (Option.isNone(message)) return join(parts)
      parts.push(yield* decodeArrow(message.value.data))
    }
  }).pipe(Effect.scoped)

// by which a host says that the answer is more than one message carries, or than it makes one of
const tooLarge: ReadonlySet<string> = new Set(["ResultTooLarge", "RangeTooLarge"])

/** The same question with what is left of its time. */
const withLeft = (question: Question, startMs: number) =>
  Effect.map(monotonicMs, (nowMs) =>
    question.budgetMs === undefined
      ? question
      : { ...question, budgetMs: Math.max(1, question.budgetMs - (nowMs - startMs)) }
  )

const readWhole = (session: Session, question: Question) =>
  Effect.flatMap(monotonicMs, (startMs) =>
    Effect.flatMap(askPatiently(session, question), ({ data }) => decodeArrow(data)).pipe(
      Effect.catchIf(
        ({ tag }) => tooLarge.has(tag),
        () => Effect.flatMap(withLeft(question, startMs), (left) => readParts(session, left))
      )
    )
  )

/** The rows and their account, or the rows alone where the caller wants no account. */
export const read = Effect.fnUntraced(function* (
  session: Session,
  asked: Asked<ReadOptions>
): Effect.fn.Return<HistoryResult | HistoryFrame, SeamlessError> {
  const { question, returnMeta } = yield* questionOf(asked)
  const reading = (isLarge(session, asked) ? readParts : readWhole)(session, question)
  const df = yield* withinDeadline(session, question, reading)
  return returnMeta ? { df, meta: yield* decodeMeta(metaTextOf(df)) } : df
})
