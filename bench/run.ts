/** How fast is all of it? Runs every bench file of this folder, or one of them, each in a process of its own. */
import { spawnSync } from "node:child_process"
import { readdirSync } from "node:fs"
import { basename, join } from "node:path"
import { parseArgs } from "node:util"

const usage = (names: ReadonlyArray<string>) => `usage: node bench/run.ts [--once] [NAME]

Runs all benches, or the one called NAME: ${names.join(", ")}.

  --once    one iteration of each, to see that they run
  --help    this text`

const self = basename(import.meta.filename)

const names = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts") && file !== self)
  .map((file) => basename(file, ".ts"))
  .toSorted()

/** Whether the bench ended well. */
const run = (name: string, flags: ReadonlyArray<string>): boolean => {
  console.log(`\n${name}\n`)
  const file = join(import.meta.dirname, `${name}.ts`)
  return spawnSync(process.execPath, [file, ...flags], { stdio: "inherit" }).status === 0
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { once: { type: "boolean", default: false }, help: { type: "boolean", default: false } }
})

const unknown = positionals.filter((name) => !names.includes(name))

if (values.help) console.log(usage(names))
else if (unknown.length > 0) {
  console.error(`no bench is called ${unknown.join(", ")}; there are: ${names.join(", ")}`)
  process.exitCode = 2
} else {
  const failed = (positionals.length > 0 ? positionals : names).filter(
    (name) => !run(name, values.once ? ["--once"] : [])
  )
  if (failed.length > 0) {
    console.error(`failed: ${failed.join(", ")}`)
    process.exitCode = 1
  }
}
