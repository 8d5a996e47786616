/** Does the command itself end with the code that its end deserves, and write to the right place? */
import { assert, describe, it } from "vitest"
import { type Run, runCommand } from "../support/runCommand.ts"

const seamless = (...args: ReadonlyArray<string>): Promise<Run> => runCommand(args)

const noStack = ({ err }: Run) => assert.notMatch(err, /^\s+at /m)

const series = ["--node", "a", "--interval", "1m"]
const span = ["a", "1m", "0", "60000"]

describe.concurrent("wrong usage", () => {
  it.each([
    ["no command", [], /USAGE/],
    ["an unknown command", ["reed"], /Unknown subcommand "reed"[^]*read/],
    ["an unknown flag", ["read", ...span, "--foo"], /--foo/],
    ["an absent argument", ["read", "a", "1m"], /start/],
    ["an argument too many", ["coverage", "a", "1m", "more"], /"more"/],
    ["a time that is none", ["read", "a", "1m", "2022-02-30", "0"], /<start>: "2022-02-30".*ISO 8601/],
    ["an unknown strategy", ["read", ...span, "--strategy", "fast"], /"fast".*fail_fast, partial_fill/],
    ["a deadline that is none", ["ensure", ...span, "--deadline", "0"], /--deadline.*1 or more/],
    ["an unknown way to fill", ["read", ...span, "--fill", "back"], /"back".*"none" \| "forward"/],
    ["an unknown format", ["read", ...span, "--format", "xml"], /"xml".*"table" \| "json"/],
    ["no configuration", ["up"], /--config/],
    ["no file to import", ["import"], /file/],
    ["a column that is half", ["import", "a.csv", "--column", "close"], /--column.*OURS=THEIRS/],
    ["an interval of imported bars that is none", ["import", "a.csv", "--interval", "1x"], /--interval.*1m, 4h or 1d/],
    ["a header without names", ["import", "a.csv", "--header", "a,,b"], /--header.*commas/],
    ["a port that is none", ["up", "--config", "a", "--health-port", "70000"], /--health-port.*0.*65535/],
    ["no host to drain", ["drain"], /host/],
    ["too few actors", ["actors", "--top", "0"], /--top.*1 to 1000/],
    ["half an actor", ["actors", "release", "counter"], /key/],
    ["no letter", ["actors", "replay"], /id/],
    ["a calendar that is none", ["calendar", "nyse"], /"nyse" is no calendar; there is .*nyse-regular/],
    [
      "a calendar of a century",
      ["calendar", "nyse-regular", "--from", "1900-01-01", "--to", "2000-01-01"],
      /3660 days/
    ],
    ["half a range", ["audit", "a", "1m", "--from", "0"], /--from without --to/],
    ["a range that ends before it starts", ["audit", "a", "1m", "--from", "5", "--to", "4"], /is not before/],
    ["a moment that is none", ["audit", "a", "1m", "--to", "soon"], /--to: "soon".*ISO 8601/],
    ["too many changes", ["audit", "a", "1m", "--limit", "1001"], /--limit.*1 to 1000/],
    ["a day without dashes", ["read", "a", "1m", "20221213", "20221214"], /"20221213".*did you mean 2022-12-13\?/],
    ...[
      ["read"],
      ["ensure"],
      ["plan"],
      ["jobs", "retry"],
      ["invalidate", "--reason", "x"],
      ["reprocess", "--reason", "x"]
    ].map((command): [string, ReadonlyArray<string>, RegExp] => [
      `an end before the start for ${command.join(" ")}`,
      [...command, "a", "1m", "2022-12-14", "2022-12-13"],
      /^the start 2022-12-14T00:00:00Z is not before the end 2022-12-13T00:00:00Z$/m
    ]),
    [
      "a backfill that ends before it starts",
      ["backfill", "create", "x", ...series, "--from", "5", "--to", "5"],
      /is not before the end/
    ],
    ["a fill that is none", ["read", ...span, "--fill", "backward"], /--fill.*"backward".*none.*forward/],
    ["a deadline that is none", ["read", ...span, "--deadline", "0"], /--deadline.*1 or more/],
    ["a deadline with a unit", ["ensure", ...span, "--deadline", "5s"], /--deadline.*"5s"/],
    ["a limit that is none", ["explain", ...span, "--sla", "maxLag=5"], /--sla.*"maxLag=5".*maxLagMs/],
    ["a consistency that is none", ["coverage", "a", "1m", "--consistency", "x"], /--consistency.*eventual.*strict/],
    ["an alignment that is none", ["ensure", ...span, "--align", "x"], /--align.*exact.*expand/],
    ["a version before the first", ["read", ...span, "--min-version", "-1"], /--min-version.*0 or more/],
    ["no name of a source", ["read", ...span, "--source", ""], /--source.*name of a source/],
    ["a flag that is none", ["watch", "--fom", "1"], /--fom[^]*--from/],
    ["a point that is none", ["read", ...span, "--as-of", "v17"], /--as-of.*"v17".*a version such as 17/],
    ["a sweep of half a series", ["sweep", "a"], /NODE and INTERVAL/],
    ["a version of many series", ["watch", "a", "--from", "1"], /name its node and its interval/],
    ["a difference to nothing", ["diff", "a", "1m", "--from-version", "1"], /--to-version/],
    ["a version that is none", ["audit", "a", "1m", "--before", "0"], /--before.*from 1/],
    ["a state of jobs that is none", ["jobs", "--state", "ill"], /"ill".*open, PENDING.*QUARANTINED/],
    ["too many jobs", ["jobs", "--limit", "1001"], /--limit.*1 to 1000/],
    ["no time of a window", ["jobs", "show", "a", "1m"], /time/],
    ["a window that is none", ["jobs", "retry", "a", "1m", "noon"], /<start>: "noon".*ISO 8601/],
    ["no reason", ["invalidate", ...span], /--reason/],
    ["a reason that says nothing", ["reprocess", ...span, "--reason", " "], /--reason.*says why/],
    ["a plan of half a range", ["plan", "a", "1m", "0"], /end/],
    ["a backfill of no range", ["backfill", "create", "x", "--node", "a", "--interval", "1m"], /--from/],
    ["a backfill from no time", ["backfill", "dry-run", ...series, "--from", "x", "--to", "1"], /--from.*ISO 8601/],
    ["a name that is none", ["backfill", "show", "a b"], /"a b".*1 to 64 letters/],
    [
      "no such class",
      ["backfill", "create", "x", ...series, "--from", "0", "--to", "1", "--priority", "low"],
      /"low".*"bulk"/
    ],
    ["no backfill", ["backfill", "pause"], /name/]
  ])("seamless with %s ends with 2, says what is wrong and what would be right", async (_, args, expected) => {
    const run = await seamless(...args)
    assert.strictEqual(run.code, 2)
    assert.strictEqual(run.out, "")
    assert.match(run.err, expected)
    assert.match(run.err, /usage/i)
    noStack(run)
  })
})

describe.concurrent("help", () => {
  it("seamless --version writes the version", async () => {
    const { code, out } = await seamless("--version")
    assert.strictEqual(code, 0)
    assert.match(out, /^seamless \d+\.\d+\.\d+\n$/)
  })

  const commands = [
    "up",
    "read",
    "explain",
    "ensure",
    "coverage",
    "audit",
    "plan",
    "hosts",
    "slots",
    "actors",
    "drain",
    "upstreams",
    "diff",
    "watch",
    "sweep"
  ].map((name) => [name])
  const ofActors = ["release", "letters", "replay"].map((name) => ["actors", name])
  const ofJobs = ["show", "retry", "skip", "cancel", "quarantine"].map((name) => ["jobs", name])
  const ofTime = [["jobs"], ["invalidate"], ["reprocess"]]

  const ofBackfill = ["create", "list", "show", "pause", "resume", "cancel", "dry-run"].map((name) => [
    "backfill",
    name
  ])

  it.each(
    [[], ...commands, ...ofActors, ...ofJobs, ...ofTime, ["backfill"], ...ofBackfill].map((args) => [args] as const)
  )("seamless %j --help has examples", async (args) => {
    const { code, err, out } = await seamless(...args, "--help")
    assert.strictEqual(code, 0)
    assert.strictEqual(err, "")
    assert.match(out, /EXAMPLES[^]*seamless /)
  })
})

describe.concurrent("help of what asks", () => {
  it.each(["read", "explain", "ensure"])("seamless %s --help says how each option is taken back", async (command) => {
    const { out } = await seamless(command, "--help")
    for (const said of ["--no-strict", "--on-strict-violation", "--align", "--sla", "--min-version", "eventual"]) {
      assert.include(out, said)
    }
  })
})

describe.concurrent("failures", () => {
  it("seamless read ends with 4 and names the ways to an address", async () => {
    const run = await seamless("read", ...span, "--data-dir", "/none/such")
    assert.strictEqual(run.code, 4)
    assert.strictEqual(run.out, "")
    assert.match(run.err, /^NoAddress: .*--nats.*SEAMLESS_NATS.*--data-dir.*seamless up/)
    noStack(run)
  })

  it("seamless read ends with 4 where nobody answers, in JSON where that was asked; flags may come first", async () => {
    const run = await seamless(
      "read",
      "--format",
      "json",
      "--nats",
      "nats://127.0.0.1:1",
      "--strategy",
      "SEAMLESS",
      ...span
    )
    assert.strictEqual(run.code, 4)
    assert.deepInclude(JSON.parse(run.err).error, { tag: "NobodyAnswers", servers: "nats://127.0.0.1:1" })
  })

  it("seamless hosts ends with 4 where nobody answers", async () => {
    const run = await seamless("hosts", "--nats", "nats://127.0.0.1:1")
    assert.strictEqual(run.code, 4)
    assert.match(run.err, /^NobodyAnswers: /)
  })

  it("seamless up ends with 4 and names the file that is not there", async () => {
    const run = await seamless("up", "--config", "/none/such.yaml")
    assert.strictEqual(run.code, 4)
    assert.strictEqual(run.err, "InvalidConfiguration: /none/such.yaml: there is no such file\n")
  })

  it("seamless up ends with 4 where its actors can't be had, before anything starts", async () => {
    const config = new URL("../../examples/quickstart.yaml", import.meta.url).pathname
    const run = await seamless("up", "--config", config, "--actors", "/none/such.ts", "--data-dir", "/none/such")
    assert.strictEqual(run.code, 4)
    assert.match(run.err, /^InvalidActors: \/none\/such.ts: can't be imported: /)
  })
})

describe.concurrent("output", () => {
  it.each([
    ["--help", "--help", '"$0" "$@" > /dev/full'],
    ["--version", "--version", '"$0" "$@" > /dev/full'],
    [
      "a file that takes a part of it",
      "--help",
      `f=$(mktemp); trap '' XFSZ; (ulimit -f 1; "$0" "$@" > "$f"); c=$?; rm "$f"; exit $c`
    ]
  ])("seamless ends with 4 and says so where nobody takes what it writes: %s", async (_, flag, redirect) => {
    const { code, err } = await runCommand([flag], {}, redirect)
    assert.strictEqual(code, 4)
    assert.match(err, /^OutputFailed: .* can't be written to the standard output/)
  })

  it("seamless ends with 0 and says nothing where its reader went away", async () => {
    const { err, out } = await runCommand(["--help"], {}, '{ { "$0" "$@"; echo $? >&3; } | true; } 3>&1')
    assert.deepStrictEqual({ err, out }, { err: "", out: "0\n" })
  })
})
