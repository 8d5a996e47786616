// What is a thing called? Tokens of node ids, canonical intervals, the windows and pages a time lies in, and the
// subjects and keys made of them (parts 1, 2, 4 and 6 of the protocol page).

const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }
const mondayMs = 345_600_000

export const windowBarsDefault = 1_440
export const windowsPerPage = 256

export const flags = {
  BACKFILLED: 1,
  LIVE: 2,
  FWD_FILLED: 4,
  OUT_OF_ORDER: 8,
  ADJUSTED: 16,
  PARTIAL_BAR: 32,
  DUPLICATE: 64,
  ROLLED_UP: 128,
  SUSPECT: 256,
  REVISED: 512
}

export function encodeToken(text) {
  if (text.length === 0 || !text.isWellFormed()) throw new RangeError(`no text for a token: ${JSON.stringify(text)}`)
  return Array.from(Buffer.from(text, "utf8"), (byte) => {
    const character = String.fromCharCode(byte)
    if (/[A-Za-z0-9_-]/.test(character)) return character
    return "=" + byte.toString(16).toUpperCase().padStart(2, "0")
  }).join("")
}

export function decodeToken(token) {
  if (!/^(?:[A-Za-z0-9_-]|=[0-9A-F]{2})+$/.test(token)) throw new RangeError(`no token: ${JSON.stringify(token)}`)
  const bytes = Buffer.from(
    token.replace(/=(..)|(.)/g, (_, hex, plain) => hex ?? Buffer.from(plain).toString("hex")),
    "hex"
  )
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
  if (encodeToken(text) !== token) throw new RangeError(`no canonical token: ${JSON.stringify(token)}`)
  return text
}

export function parseInterval(text) {
  const match = /^([1-9][0-9]*)([smhdw])$/.exec(text)
  const count = match === null ? NaN : Number(match[1])
  const lengthMs = match === null ? NaN : count * unitMs[match[2]]
  if (!Number.isSafeInteger(count) || !Number.isSafeInteger(lengthMs)) {
    throw new RangeError(`no interval: ${JSON.stringify(text)}`)
  }
  if (match[2] === "w") return { canonical: text, lengthMs, anchorMs: mondayMs }
  const unit = ["d", "h", "m", "s"].find((name) => lengthMs % unitMs[name] === 0)
  return { canonical: `${lengthMs / unitMs[unit]}${unit}`, lengthMs, anchorMs: 0 }
}

export function alignDown(interval, timeMs) {
  const { lengthMs, anchorMs } = parseInterval(interval)
  return anchorMs + Math.floor((timeMs - anchorMs) / lengthMs) * lengthMs
}

export function alignUp(interval, timeMs) {
  const { lengthMs, anchorMs } = parseInterval(interval)
  return anchorMs + Math.ceil((timeMs - anchorMs) / lengthMs) * lengthMs
}

export function windowOf(interval, windowBars, timeMs) {
  const { lengthMs, anchorMs } = parseInterval(interval)
  const windowMs = lengthMs * windowBars
  const index = Math.floor((timeMs - anchorMs) / windowMs)
  const windowStart = anchorMs + index * windowMs
  return { windowStart, windowEnd: windowStart + windowMs, pageIndex: Math.floor(index / windowsPerPage) }
}

export const seriesKey = ({ nodeId, interval }) => `${encodeToken(nodeId)}.${parseInterval(interval).canonical}`

export const windowKey = (series, windowStart, revises) =>
  `${seriesKey(series)}.${windowStart}${revises === undefined ? "" : `r-${encodeToken(revises)}`}`

export const jobId = (windowStart, run, revises) =>
  `${windowStart}.${run}${revises === undefined ? "" : `r-${revises}`}`

export const operations = ["read", "readMany", "ensure", "coverage", "diff", "explain", "health"]
export const queueGroup = "seamless"

export const subjects = {
  operation: (name) => `seamless.v1.${name}`,
  cancel: (call) => `seamless.v1.cancel.${encodeToken(call)}`,
  coverageChanged: (key) => `seamless.v1.changed.coverage.${key}`,
  jobsChanged: (key) => `seamless.v1.changed.jobs.${key}`,
  coverageRecord: (key) => `$KV.seamless-coverage.${key}`,
  jobRecord: (key) => `$KV.seamless-jobs.${key}`,
  settingsRecord: (key) => `$KV.seamless-settings.${key}`,
  clusterRecord: (key) => `$KV.seamless-cluster.${key}`,
  audit: (key) => `seamless.v1.audit.${key}`,
  chunk: (key, id) => `seamless.v1.chunks.${key}.${id}`,
  page: (key, id) => `seamless.v1.pages.${key}.${id}`,
  queuedJob: (jobClass, partition, key) => `seamless.v1.jobs.${jobClass}.${partition}.${key}`,
  slot: (name) => `seamless.v1.slot.${name}`,
  settled: (sender) => `seamless.v1.settled.${sender}`,
  host: (incarnation) => `seamless.v1.host.${incarnation}`,
  admin: (who, verb) => `seamless.v1.admin.${encodeToken(who)}.${verb}`,
  deadLetter: (type, key, id) => `seamless.v1.dead.${type}.${encodeToken(key)}.${id}`,
  jobEvent: (event, key) => `seamless.v1.events.backfill.${event}.${key}`,
  discovery: (verb, id) => `$SRV.${verb}${id === undefined ? "" : id === "" ? ".seamless" : `.seamless.${id}`}`,
  directGet: (stream) => `$JS.API.DIRECT.GET.${stream}`
}

export const headerNames = {
  contentType: "Content-Type",
  accept: "Accept",
  budgetMs: "Seamless-Budget-Ms",
  call: "Seamless-Call",
  caller: "Seamless-Caller",
  credit: "Seamless-Credit",
  cursor: "Seamless-Cursor",
  part: "Seamless-Part",
  flow: "Seamless-Flow",
  last: "Seamless-Last",
  item: "Seamless-Item",
  end: "Seamless-End",
  traceParent: "traceparent",
  baggage: "baggage",
  error: "Nats-Service-Error",
  errorCode: "Nats-Service-Error-Code"
}

export const mediaTypes = {
  json: "application/json",
  messagePack: "application/msgpack",
  arrow: "application/vnd.apache.arrow.stream"
}
