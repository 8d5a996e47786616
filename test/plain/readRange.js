// What bars has a series in a range? `node readRange.js URL NODE INTERVAL START END [form]` reads it in any form, in
// parts where it is long, checks the fingerprint by its own computation, and prints one line of JSON.

import { SeamlessClient } from "./SeamlessClient.js"
import { parseInterval } from "./names.js"
import { rowCount } from "./rows.js"

const barsInOneMessage = 5_000

const timeOf = (text) => (/^-?\d+$/.test(text) ? Number(text) : Date.parse(text))

async function readRange([url, nodeId, interval, startText, endText, form = "json"]) {
  const client = await SeamlessClient.connect(url, { timeoutMs: 120_000 })
  try {
    const range = [timeOf(startText), timeOf(endText)]
    const [start, end] = range
    const sla = { totalDeadlineMs: 120_000 }
    const fields = { nodeId, interval, start, end, strategy: "auto_backfill", sla }
    const bars = (end - start) / parseInterval(interval).lengthMs
    const isLong = bars > barsInOneMessage
    const rows = isLong ? await client.readInParts(fields, { form, credit: 4 }) : await client.read(fields, { form })
    const computed = await client.fingerprint({ nodeId, interval }, range, rows)
    return {
      rows: rowCount(rows),
      parts: rows.parts ?? 1,
      fingerprint: rows.meta.fingerprint,
      isVerified: computed === rows.meta.fingerprint,
      missingRanges: rows.meta.missingRanges.length
    }
  } finally {
    await client.close()
  }
}

if (process.argv.length < 7) {
  process.stderr.write("node readRange.js URL NODE INTERVAL START END [json | msgpack | arrow]\n")
  process.exitCode = 2
} else {
  const result = await readRange(process.argv.slice(2))
  process.stdout.write(`${JSON.stringify(result)}\n`)
  if (!result.isVerified) process.exitCode = 1
}
