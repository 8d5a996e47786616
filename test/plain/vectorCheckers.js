// What is there to check in each file of golden vectors? One function a file; they share the rows, the account and the
// request of the sample read, which several files have in different forms.

import { readArrowStream } from "./ArrowStream.js"
import { codeOf, codes } from "./errors.js"
import { buildRequest, readReply } from "./exchange.js"
import { contentHash, fingerprint, recordHash, sha256 } from "./hashes.js"
import { decode, encode } from "./MessagePack.js"
import * as names from "./names.js"
import { isFixed, joinParts, readArrowReply, readBody } from "./rows.js"

const bytesOf = (base64) => Buffer.from(base64, "base64")
const jsonBytes = (body) => Buffer.from(JSON.stringify(body), "utf8")
const series = { nodeId: "ohlcv:binance:BTC/BUSD", interval: "1m" }
const windowStart = 1_670_889_600_000

/** Reads the fields out of a request's body and headers, builds it anew, and compares. */
function checkRequest(checks, operation, { subject, headers, body, base64 }, options = {}) {
  const fields = body ?? decode(bytesOf(base64))
  const built = buildRequest(operation, fields, options)
  if (subject !== undefined) checks.equal("subject", built.subject, subject)
  checks.equal("headers", built.headers, headers)
  if (body !== undefined) checks.equal("body", JSON.parse(built.body.toString("utf8")), body)
  else checks.equal("bytes", built.body.toString("base64"), base64)
}

const read = ({ headers, body, base64 }) => readReply(headers, base64 === undefined ? jsonBytes(body) : bytesOf(base64))

/** A body without columns has to come as it is, and so has the same through MessagePack. */
function checkPlain(checks, reply) {
  checks.equal("reply", read(reply).body, reply.body)
  checks.equal("reply in MessagePack", readBody("application/msgpack", encode(reply.body)), reply.body)
}

function checkSampleRows(checks, rows, load) {
  const { columns, meta } = load("read").reply.body
  checks.equal("columns", rows.columns, columns)
  checks.equal("types", rows.types, {})
  checks.equal("account", rows.meta, meta)
  const { coverageRanges } = rows.meta
  const { start, end } = load("read").request.body
  const question = { ...series, range: [start, end], coverageRanges, windowBars: names.windowBarsDefault }
  checks.equal("fingerprint", fingerprint(question, rows), meta.fingerprint)
}

function checkRefusal(checks, message) {
  const { body, error } = read(message)
  const given = message.body ?? body
  checks.equal("tag", error.tag, message.headers["Nats-Service-Error"])
  checks.equal("tag in the body", given.error.tag, error.tag)
  checks.equal("code", error.code, codeOf(error.tag))
  checks.equal("message", error.message, given.error.message)
  checks.equal("fields", { tag: error.tag, message: error.message, ...error.details }, given.error)
  checks.equal("account", error.meta, given.meta)
  return error
}

function checkTyped(checks, { json, arrow, messagePack, contentHash: expected }) {
  const rows = readBody("application/json", jsonBytes(json))
  checks.equal("int64", rows.columns.trades, [9_223_372_036_854_775_807n, -9_223_372_036_854_775_807n, null])
  checks.equal("missing float64", rows.columns.close, [1.5, 2.5, NaN])
  checks.equal("types", rows.types, json.types)
  checks.equal("hash of JSON", contentHash(rows), expected)
  for (const { accept, base64 } of arrow) {
    const read = readArrowReply(bytesOf(base64))
    checks.equal(`rows of ${accept}`, read, rows)
    checks.equal(`hash of ${accept}`, contentHash(read), expected)
    for (const { name, type, nullable } of readArrowStream(bytesOf(base64)).columns) {
      const isNullable = !isFixed(name) && type !== "float64"
      checks.equal(`nullability of ${name}`, nullable, isNullable)
    }
  }
  const packed = readBody(messagePack.accept, bytesOf(messagePack.base64))
  checks.equal("rows of MessagePack", packed, rows)
  checks.equal("hash of MessagePack", contentHash(packed), expected)
}

function checkParts(checks, { request, parts, grant, goingOn, cancel }, load) {
  checkRequest(checks, "read", request, { credit: 2, call: "call-1" })
  const replies = parts.map(read)
  checkSampleRows(checks, joinParts(replies.map((reply) => reply.body)), load)
  replies.forEach(({ headers }, index) => {
    checks.equal("number of the part", headers[names.headerNames.part], String(index))
    checks.equal("last", headers[names.headerNames.last] === "true", index === parts.length - 1)
    checks.equal("cursor", headers[names.headerNames.cursor] === undefined, index === parts.length - 1)
  })
  checks.equal("grant", { subject: replies[0].headers[names.headerNames.flow], body: "1" }, grant)
  const cursor = replies[0].headers[names.headerNames.cursor]
  checkRequest(checks, "read", goingOn, { credit: 2, cursor })
  checks.equal("cancel", { subject: names.subjects.cancel(request.headers["Seamless-Call"]), body: "" }, cancel)
}

function checkReadMany(checks, { subject, request, reply, inParts }, load) {
  checkRequest(checks, "readMany", { subject, ...request })
  const [rows, refused] = read(reply).body.results
  checkSampleRows(checks, rows, load)
  checks.equal("code", refused.code, codeOf(refused.error.tag))
  const credited = buildRequest("readMany", request.body, { credit: 4 })
  checks.equal("headers with credit", credited.headers, inParts.headers)
  const messages = inParts.messages.map(read)
  checkRefusal(checks, inParts.messages[0])
  checkSampleRows(checks, messages[1].body, load)
  checks.equal(
    "items",
    messages.map(({ headers }) => headers[names.headerNames.item]),
    ["1", "0"]
  )
  checks.equal(
    "ends",
    messages.map(({ headers }) => headers[names.headerNames.end]),
    [undefined, "true"]
  )
}

function checkSubjects(checks, file) {
  const { series: given } = file
  const { windowStart: start, id, slot, jobClass, partition } = given
  for (const [name, subject] of Object.entries(file.service)) {
    checks.isTrue(`operation ${name}`, names.operations.includes(name))
    checks.equal("service", names.subjects.operation(name), subject)
  }
  checks.equal("queue group", names.queueGroup, file.queueGroup)
  checks.equal("headers", names.headerNames, file.headers)
  checks.equal("media types", names.mediaTypes, file.mediaTypes)
  checks.equal(
    "keys",
    {
      coverage: names.seriesKey(given),
      job: names.windowKey(given, start),
      jobId: names.jobId(start, 1),
      revisingJob: names.windowKey(given, start, "my source"),
      revisingJobId: names.jobId(start, 1, "my source")
    },
    file.keys
  )
  const key = names.seriesKey(given)
  const window = names.windowKey(given, start)
  checks.equal(
    "subjects",
    {
      chunk: names.subjects.chunk(window, id),
      page: names.subjects.page(key, id),
      audit: names.subjects.audit(key),
      slot: names.subjects.slot(slot),
      queuedJob: names.subjects.queuedJob(jobClass, partition, window),
      queuedClass: `seamless.v1.jobs.${jobClass}.>`,
      coverageRecord: names.subjects.coverageRecord(key),
      jobRecord: names.subjects.jobRecord(window),
      coverageChanged: names.subjects.coverageChanged(">"),
      jobsChanged: names.subjects.jobsChanged(">")
    },
    file.subjects
  )
  for (const { bucket, name, subjects } of file.streams) {
    if (bucket === undefined) continue
    checks.equal("stream of a bucket", [`KV_${bucket}`, `$KV.${bucket}.>`], [name, subjects])
  }
  for (const other of file.otherSeries) checks.equal("other series", names.seriesKey(other), other.key)
}

function checkIntervals(checks, { canonical, refused, alignment }) {
  for (const { text, ...expected } of canonical) checks.equal(text, names.parseInterval(text), expected)
  for (const text of refused) checks.refused(JSON.stringify(text), () => names.parseInterval(text))
  for (const { interval, timeMs, down, up } of alignment) {
    checks.equal(`${interval} down from ${timeMs}`, names.alignDown(interval, timeMs), down)
    checks.equal(`${interval} up from ${timeMs}`, names.alignUp(interval, timeMs), up)
  }
}

function checkChunk(checks, { subject, id, contentHash: expected, columns, base64 }) {
  const bytes = bytesOf(base64)
  checks.equal("id", sha256(bytes), id)
  checks.equal("subject", names.subjects.chunk(names.windowKey(series, windowStart), id), subject)
  const header = JSON.parse(readArrowStream(bytes).metadata["seamless.chunk"])
  const rows = readArrowReply(bytes)
  const runs = (field) => header.lineage.flatMap((run) => new Array(run.rows).fill(run[field]))
  const lineage = { __source: runs("source"), __ingest_at: runs("ingestAtMs"), __backfill_job_id: runs("jobId") }
  checks.equal("columns", { ...rows.columns, ...lineage }, columns)
  checks.equal("content hash", contentHash(rows), expected)
  checks.equal("content hash of the header", header.contentHash, expected)
  checks.equal("series", header.series, series)
  checks.equal("format", header.format, 1)
}

function checkRoots(checks, { bucket, key, subject, auditSubject, roots, record }) {
  checks.equal("key", names.seriesKey(series), key)
  checks.equal("subject", names.subjects.coverageRecord(key), subject)
  checks.equal("bucket", `$KV.${bucket}.${key}`, subject)
  checks.equal("audit", names.subjects.audit(key), auditSubject)
  roots.forEach(({ hash, root }, index) => {
    checks.equal(`hash of version ${root.version}`, recordHash(root), hash)
    checks.equal(`link of version ${root.version}`, root.previousRootHash, index === 0 ? "" : roots[index - 1].hash)
  })
  checks.equal("root of the record", record.state, roots.find(({ root }) => root.version === record.state.version).root)
}

function checkPage(checks, { subject, id, record }, load) {
  checks.equal("id", recordHash(record), id)
  checks.equal("subject", names.subjects.page(names.seriesKey(series), id), subject)
  const start = record.windows[0].windowStart
  checks.equal("index", names.windowOf("1m", names.windowBarsDefault, start).pageIndex, record.index)
  const chunk = load("chunk")
  checks.equal("chunk", record.windows[0].chunks[0].id, chunk.id)
  checks.equal("content hash", record.windows[0].chunks[0].contentHash, chunk.contentHash)
}

function checkJob(checks, { bucket, key, subject, queuedAt, running, failed, event }) {
  checks.equal("key", names.windowKey(running.series, running.windowStart), key)
  checks.equal("subject", names.subjects.jobRecord(key), subject)
  checks.equal("bucket", `$KV.${bucket}.${key}`, subject)
  checks.equal("queue", names.subjects.queuedJob(running.jobClass, 0, key), queuedAt)
  checks.equal("event", names.subjects.jobEvent(event.body.event, key), event.subject)
  const { holder } = event.body
  checks.equal("fields of the event", event.body, {
    format: 1,
    event: "failed",
    at: event.body.at,
    series: failed.series,
    windowStart: failed.windowStart,
    run: failed.run,
    state: failed.state,
    jobClass: failed.jobClass,
    attempts: failed.attempts,
    failure: failed.failure,
    nextAttemptAt: failed.nextAttemptAt,
    holder,
    coverageVersion: failed.coverageVersion,
    cause: failed.cause
  })
}

function checkActorMessage(checks, { subject, labelledSubject, settledSubject, ...messages }) {
  // The page does not say how the slot follows from the address, and clients need none: it is taken as it is.
  const slot = subject.split(".").at(-1)
  checks.equal("slot", names.subjects.slot(slot), subject)
  checks.equal("slot of a label", names.subjects.slot(`strategies.${slot}`), labelledSubject)
  checks.equal("settled", names.subjects.settled(messages.told.value.settle), settledSubject)
  for (const [name, { value, base64 }] of Object.entries(messages)) {
    checks.equal(name, decode(bytesOf(base64)), value)
    checks.equal(`${name} written and read`, decode(encode(value)), value)
  }
}

function checkHosts(checks, { protocolVersion, session, slot, state, deadLetter, host, admin }) {
  checks.equal("version", session.value.protocolVersion, protocolVersion)
  checks.equal("session", session.key, session.value.incarnation)
  checks.equal("slots", slot.keys, ["17", "strategies.17"])
  checks.equal("state", state.key, `counter.${names.encodeToken("BTC/BUSD")}`)
  const { to, id } = deadLetter.value
  checks.equal("dead letter", names.subjects.deadLetter(to.type, to.key, id), deadLetter.subject)
  checks.equal("host", names.subjects.host(session.key), host)
  checks.equal("admin", names.subjects.admin("alice", "hosts"), admin)
}

function checkMicro(checks, services) {
  services.forEach(({ subjects, reply }, index) => {
    const verb = ["PING", "INFO", "STATS"][index]
    const id = reply.id
    checks.equal(
      verb,
      [undefined, "", id].map((part) => names.subjects.discovery(verb, part)),
      subjects
    )
    checks.equal("type", reply.type, `io.nats.micro.v1.${verb.toLowerCase()}_response`)
    for (const endpoint of reply.endpoints ?? []) {
      checks.equal("endpoint", endpoint.subject, names.subjects.operation(endpoint.name))
      checks.equal("queue group", endpoint.queue_group, names.queueGroup)
    }
  })
}

const operation =
  (name, options) =>
  (checks, { subject, request, reply }) => {
    checkRequest(checks, name, { subject, ...request }, options)
    checkPlain(checks, reply)
  }

const readOf =
  (form) =>
  (checks, { subject, request, reply, refused }, load) => {
    checkRequest(checks, "read", { subject, ...request }, { form })
    checkSampleRows(checks, read(reply).body, load)
    if (refused !== undefined) checks.equal("refusal", checkRefusal(checks, refused).tag, "CoverageMissing")
  }

export const checkers = {
  tokens: (checks, { tokens, refused }) => {
    for (const { text, token } of tokens) {
      checks.equal(text, names.encodeToken(text), token)
      checks.equal(token, names.decodeToken(token), text)
    }
    for (const token of refused) checks.refused(token, () => names.decodeToken(token))
  },
  subjects: checkSubjects,
  intervals: checkIntervals,
  windows: (checks, { windowBarsDefault, windowsPerPage, windows }) => {
    checks.equal("bars", names.windowBarsDefault, windowBarsDefault)
    checks.equal("windows", names.windowsPerPage, windowsPerPage)
    for (const { interval, windowBars, timeMs, ...expected } of windows) {
      checks.equal(`${interval} ${timeMs}`, names.windowOf(interval, windowBars, timeMs), expected)
    }
  },
  flags: (checks, flags) => checks.equal("flags", names.flags, flags),
  hosts: checkHosts,
  errors: (checks, { codes: expected, otherwise }) => {
    for (const [tag, code] of Object.entries(expected)) checks.equal(tag, codeOf(tag), code)
    for (const tag of Object.keys(codes)) checks.equal(tag, codeOf(tag), expected[tag] ?? otherwise)
    checks.equal("otherwise", codeOf("SomethingElse"), otherwise)
  },
  manifest: (checks, { subject, key, value }) => {
    checks.equal("subject", names.subjects.clusterRecord(key), subject)
    checks.equal("format", value.storageFormat, 1)
    checks.equal("hash", value.contentHash, "sha256")
  },
  read: readOf("json"),
  readArrow: readOf("arrow"),
  readMessagePack: readOf("msgpack"),
  readError: (checks, { subject, request, reply }) => {
    checkRequest(checks, "read", { subject, ...request })
    const error = checkRefusal(checks, reply)
    const { start, end } = request.body
    const question = { ...series, range: [start, end], coverageRanges: [], windowBars: names.windowBarsDefault }
    const none = { columns: { event_time: [] }, types: {} }
    checks.equal("fingerprint of nothing", fingerprint(question, none), error.meta.fingerprint)
  },
  readInParts: checkParts,
  readMany: checkReadMany,
  errorReplies: (checks, replies) => {
    for (const reply of replies) {
      checkRefusal(checks, reply)
      checks.equal("MessagePack", decode(bytesOf(reply.messagePack)), reply.body)
    }
  },
  diff: operation("diff"),
  health: (checks, { subject, request, reply, suspended }) => {
    checkRequest(checks, "health", { subject, ...request })
    checkPlain(checks, reply)
    checkPlain(checks, suspended)
  },
  micro: checkMicro,
  coverage: operation("coverage"),
  explain: operation("explain"),
  ensure: operation("ensure", { budgetMs: 2_000 }),
  contentHashes: (checks, samples) => {
    for (const { what, columns, types, contentHash: expected } of samples) {
      const rows = readBody("application/json", jsonBytes({ columns, types }))
      checks.equal(what, contentHash(rows), expected)
    }
  },
  chunk: checkChunk,
  page: checkPage,
  root: checkRoots,
  job: checkJob,
  actorMessage: checkActorMessage,
  switches: (checks, { record, audit }) => {
    checks.equal("record", names.subjects.settingsRecord("switches"), record.subject)
    checks.equal("audit", names.subjects.audit("switches"), audit.subject)
    const { version, changed, words } = record.value
    checks.equal("line", audit.value, { format: 1, version, name: changed, ...words[changed] })
  },
  typedParts: (checks, { parts, joined }) => {
    const bodies = parts.map((part) => readBody("application/json", jsonBytes(part)))
    checks.equal("rows of both parts", joinParts(bodies), readBody("application/json", jsonBytes(joined)))
  },
  typedRows: checkTyped
}
