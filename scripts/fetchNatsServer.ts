/**
 * How is a nats-server fetched on a Debian-like machine, without root and without touching its packages?
 *
 * apt-get runs on a configuration and lists of its own in a temporary folder, against the mirror and the keys that
 * the machine's own sources name, so that a machine behind a mirror stays behind it.
 */
import { execFileSync } from "node:child_process"
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import process from "node:process"

// The version that was tested: the suite moves on, and another version should fail loudly instead of differing quietly.
const suite = "sid"
const version = "2.15.1-1"

// The lists are 11 MB and the package 5 MB: minutes only on a line that will not do anyway.
const commandTimeoutMs = 300_000

// A machine lists its mirror first, and trying every third-party source would take minutes to say no.
const sourcesTried = 3

/** Where packages come from, in the words of a deb822 stanza. */
interface Source {
  readonly uri: string
  /** Signed-By and Trusted, copied as they stand: a key may be a path or a whole block. */
  readonly trust: string
}

/** What a fetch needs from its caller. */
export interface FetchOptions {
  readonly target: string
  readonly problemOf: (server: string) => string | undefined
  readonly say: (line: string) => void
}

/** One stanza of a deb822 file as a map of its fields, names in lower case; a field may have many lines. */
const parseFields = (stanza: string): ReadonlyMap<string, string> => {
  const withoutComments = stanza.replaceAll(/^#.*\n?/gm, "")
  const fields = withoutComments.matchAll(/^([\w-]+):[ \t]*(.*(?:\n[ \t].*)*)/gm)
  return new Map(Array.from(fields, ([, name, value]) => [name!.toLowerCase(), value!.trimEnd()]))
}

/** The sources in a file of the deb822 format (`URIs: ...`). */
const parseDeb822 = (text: string): ReadonlyArray<Source> =>
  text.split(/\n[ \t]*\n/).flatMap((stanza) => {
    const fields = parseFields(stanza)
    const words = (name: string) => (fields.get(name) ?? "").split(/\s+/).filter((word) => word !== "")
    const wanted = words("types").includes("deb") && words("components").includes("main")
    const off = fields.get("enabled") === "no" || words("suites").every((name) => name.includes("security"))
    if (!wanted || off) return []
    const signedBy = fields.get("signed-by")
    const trust = [
      ...(signedBy === undefined ? [] : [`Signed-By: ${signedBy}`]),
      ...(fields.get("trusted") === "yes" ? ["Trusted: yes"] : [])
    ]
    return words("uris").map((uri) => ({ uri, trust: trust.join("\n") }))
  })

/** The sources in a file of the one-line format (`deb [options] uri suite components`). */
const parseOneLine = (text: string): ReadonlyArray<Source> =>
  text.split("\n").flatMap((line) => {
    const found = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]*)/.exec(line)
    if (found === null) return []
    const [, options = "", uri, suiteName, components] = found
    if (suiteName!.includes("security") || !components!.split(/\s+/).includes("main")) return []
    const signedBy = /signed-by=(\S+)/i.exec(options)?.[1]
    const trust = [
      ...(signedBy === undefined ? [] : [`Signed-By: ${signedBy.replaceAll(",", " ")}`]),
      ...(/trusted=yes/i.test(options) ? ["Trusted: yes"] : [])
    ]
    return [{ uri: uri!, trust: trust.join("\n") }]
  })

const parseFile = (path: string): ReadonlyArray<Source> => {
  try {
    const text = readFileSync(path, "utf8")
    return path.endsWith(".sources") ? parseDeb822(text) : parseOneLine(text)
  } catch {
    // a file we may not read, or that is not there, is one source less
    return []
  }
}

const listFolder = (folder: string): ReadonlyArray<string> => {
  try {
    return readdirSync(folder).toSorted()
  } catch {
    return []
  }
}

/** The machine's sources, those first that look like Debian's main archive. */
const machineSources = (): ReadonlyArray<Source> => {
  const files = listFolder("/etc/apt/sources.list.d").filter((name) => /\.(list|sources)$/.test(name))
  const paths = ["/etc/apt/sources.list", ...files.map((name) => join("/etc/apt/sources.list.d", name))]
  const all = paths.flatMap(parseFile).filter(({ uri }) => !uri.startsWith("cdrom:"))
  const unique = [...new Map(all.map((source) => [source.uri, source])).values()]
  const rank = ({ uri }: Source) => (/\/debian\/?$/.test(uri) ? 0 : 1)
  return unique.toSorted((a, b) => rank(a) - rank(b)).slice(0, sourcesTried)
}

/**
 * apt's settings: all state in our folder, and none of the machine's hooks, which clean its cache or wake its
 * desktop.
 */
const aptSettings = (folder: string): string => `
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
Dir::Etc::sourcelist "${folder}/mirror.sources";
Dir::Etc::sourceparts "/dev/null";
Dir::State::lists "${folder}/lists";
Dir::Cache "${folder}/cache";
APT::Sandbox::User "root";
Acquire::Languages "none";
`

const stanza = ({ uri, trust }: Source): string =>
  ["Types: deb", `URIs: ${uri}`, `Suites: ${suite}`, "Components: main", "Targets: Packages", trust].join("\n").trim()

/** Runs a command of apt; its progress goes to our stderr, because stdout is for the path alone. */
const run = (command: string, args: ReadonlyArray<string>, cwd: string): void => {
  execFileSync(command, args, { cwd, stdio: ["ignore", 2, 2], timeout: commandTimeoutMs })
}

/** Downloads and unpacks the package; the path of the server in the folder. */
const download = (source: Source, folder: string): string => {
  mkdirSync(join(folder, "lists", "partial"), { recursive: true })
  mkdirSync(join(folder, "cache", "archives", "partial"), { recursive: true })
  writeFileSync(join(folder, "mirror.sources"), `${stanza(source)}\n`)
  writeFileSync(join(folder, "apt.conf"), aptSettings(folder))
  const config = ["-c", join(folder, "apt.conf"), "-q"]
  run("apt-get", [...config, "update"], folder)
  run("apt-get", [...config, "download", `nats-server=${version}`], folder)
  const archive = readdirSync(folder).find((name) => name.endsWith(".deb"))
  run("dpkg-deb", ["-x", join(folder, archive ?? "nats-server.deb"), join(folder, "unpacked")], folder)
  return join(folder, "unpacked", "usr", "sbin", "nats-server")
}

/** Puts a checked server in its place by rename: of two at once, the last wins and neither is seen half-written. */
const install = (unpacked: string, { target, problemOf }: FetchOptions): string | undefined => {
  const staged = `${target}.${process.pid}`
  mkdirSync(dirname(target), { recursive: true })
  try {
    copyFileSync(unpacked, staged)
    chmodSync(staged, 0o755)
    const problem = problemOf(staged)
    if (problem === undefined) renameSync(staged, target)
    return problem
  } finally {
    rmSync(staged, { force: true })
  }
}

const fetchFrom = (source: Source, options: FetchOptions): string | undefined => {
  const folder = mkdtempSync(join(tmpdir(), "nats-server-"))
  options.say(`fetching nats-server ${version} from ${source.uri} (${suite}) into ${dirname(options.target)} ...`)
  try {
    const problem = install(download(source, folder), options)
    return problem === undefined ? undefined : `the fetched server can't be used: ${problem}`
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Fetches the tested server into `target`; says why if it can't, or nothing when the server is in place. */
export const fetchFromDebian = (options: FetchOptions): string | undefined => {
  try {
    for (const tool of ["apt-get", "dpkg-deb"]) execFileSync(tool, ["--version"], { stdio: "ignore" })
  } catch {
    return "that needs apt-get and dpkg-deb, and this machine lacks them"
  }
  const sources = machineSources()
  if (sources.length === 0) return "the machine's apt sources name no mirror"
  const failures: Array<string> = []
  for (const source of sources) {
    const failure = fetchFrom(source, options)
    if (failure === undefined) return undefined
    failures.push(`${source.uri}: ${failure}`)
  }
  return failures.join("; ")
}
