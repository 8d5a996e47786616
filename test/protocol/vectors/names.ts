/** What are the golden names: tokens, subjects, keys, intervals, windows, flags, error codes? */
import { Option } from "effect"
import { rowFlagNames } from "../../../protocol/frame/RowFlag.ts"
import { errorCodes } from "../../../protocol/wire/errorCodes.ts"
import * as Interval from "../../../protocol/history/Interval.ts"
import { jobId } from "../../../protocol/history/BackfillJob.ts"
import * as Window from "../../../protocol/history/Window.ts"
import { manifest, manifestKey } from "../../../protocol/wire/Manifest.ts"
import { Header, MediaType } from "../../../protocol/wire/Header.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import { keySubject } from "../../../protocol/wire/StreamSpec.ts"
import * as ActorSubject from "../../../protocol/wire/ActorSubject.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import * as Announcement from "../../../protocol/wire/Announcement.ts"
import * as QueueSubject from "../../../protocol/wire/QueueSubject.ts"
import * as Token from "../../../protocol/wire/Token.ts"
import { intervalOf } from "../../support/rows.ts"
import { day, series } from "./example.ts"

const texts = [
  "ohlcv:binance:BTC/USDT",
  "ohlcv:binance:BTC/BUSD",
  "a.b.c",
  "*",
  ">",
  "two words",
  "=",
  "=3A",
  "A-Za-z0-9_-",
  "Größe",
  "価格:東京",
  "🦀",
  "\t\n\0"
]

/** Node ids and their tokens; texts that are no token. */
export const tokens = {
  tokens: texts.map((text) => ({ text, token: Token.encode(text) })),
  refused: ["a.b", "a b", "=3a", "=41", "=", "=4", "=C3", "é", "*", ">"].filter((token) =>
    Option.isNone(Token.decode(token))
  )
}

const seriesKey = Subject.series(series.nodeId, series.interval)
const windowKey = Subject.window(seriesKey, day.start)
const id = "0".repeat(64)

/** The subjects and keys of one series. */
export const subjects = {
  service: Subject.service,
  queueGroup: Subject.serviceGroup,
  headers: Header,
  mediaTypes: MediaType,
  series: { ...series, windowStart: day.start, id, slot: 17, jobClass: "bulk", partition: 0 },
  keys: {
    coverage: seriesKey,
    job: windowKey,
    jobId: jobId({ windowStart: day.start, run: 1 }),
    revisingJob: Subject.window(seriesKey, day.start, "my source"),
    revisingJobId: jobId({ windowStart: day.start, run: 1, revises: "my source" })
  },
  subjects: {
    chunk: Subject.chunk(seriesKey, day.start, id),
    page: Subject.page(seriesKey, id),
    audit: Subject.audit(seriesKey),
    slot: ActorSubject.slot(ActorSubject.slotName("", 17)),
    queuedJob: QueueSubject.queuedJob({ jobClass: "bulk", partition: 0, windowKey }),
    queuedClass: QueueSubject.queuedClass("bulk"),
    coverageRecord: keySubject(Stream.coverage, seriesKey),
    jobRecord: keySubject(Stream.jobs, windowKey),
    coverageChanged: Announcement.changed("coverage"),
    jobsChanged: Announcement.changed("jobs")
  },
  streams: Stream.every,
  otherSeries: [
    ["a.b >*", "1w"],
    ["価格", "4h"]
  ].map(([nodeId = "", interval = ""]) => ({ nodeId, interval, key: Subject.series(nodeId, interval) }))
}

const canonical = (text: string) => {
  const { anchorMs, lengthMs, text: canonical } = intervalOf(text)
  return { text, canonical, lengthMs, anchorMs }
}

const aligned = (text: string, timeMs: number) => {
  const interval = intervalOf(text)
  return {
    interval: text,
    timeMs,
    down: Interval.alignDown(interval, timeMs),
    up: Interval.alignUp(interval, timeMs)
  }
}

const monday = 345_600_000

/** Intervals in canonical form, and where their bars begin. */
export const intervals = {
  canonical: ["1s", "60s", "90s", "1m", "5m", "60m", "90m", "4h", "24h", "1d", "7d", "1w", "2w"].map(canonical),
  refused: ["", "m", "1", "0m", "-1m", "01m", "1.5m", "1M", "1y", "1 m", " 1m", "1m ", "9007199254740993s"].filter(
    (text) => Option.isNone(Interval.parse(text))
  ),
  alignment: [
    aligned("1m", 0),
    aligned("1m", 1),
    aligned("1m", -1),
    aligned("90m", 1_670_889_600_000),
    aligned("1d", 1_670_889_600_001),
    aligned("7d", monday),
    aligned("1w", 0),
    aligned("1w", monday),
    aligned("1w", monday - 1),
    aligned("1w", 1_670_889_600_000),
    aligned("2w", 1_670_889_600_000)
  ]
}

const windowOf = (text: string, windowBars: number, timeMs: number) => {
  const grid = Window.makeGrid(intervalOf(text), windowBars)
  const windowStart = Window.windowStart(grid, timeMs)
  const [, windowEnd] = Window.windowRange(grid, windowStart)
  return { interval: text, windowBars, timeMs, windowStart, windowEnd, pageIndex: Window.pageIndex(grid, windowStart) }
}

/** Which window and which page a time is in. */
export const windows = {
  windowBarsDefault: Window.windowBarsDefault,
  windowsPerPage: Window.windowsPerPage,
  windows: [
    windowOf("1m", 1440, 0),
    windowOf("1m", 1440, -1),
    windowOf("1m", 1440, 1_670_889_660_000),
    windowOf("1m", 10, 1_670_889_660_000),
    windowOf("5m", 1440, 1_670_889_600_000),
    windowOf("1d", 1440, 1_670_889_600_000),
    windowOf("1w", 52, 0),
    windowOf("1w", 52, 1_670_889_600_000)
  ]
}

/** The bits of `__flags` by name. */
export const flags = Object.fromEntries(rowFlagNames.map((name, bit) => [name, 2 ** bit]))

/** The codes of error replies by tag. */
export const errors = { codes: errorCodes, otherwise: 500 }

/** What the hosts of a cluster agree on. */
export const clusterManifest = {
  subject: keySubject(Stream.cluster, manifestKey),
  key: manifestKey,
  value: manifest
}
