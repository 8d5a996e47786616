/**
 * Builds dist/ from the source: compile, then make the command executable.
 *
 * tsc writes files that can't be run as they are, so the mode of the command is set here.
 */
import { execFileSync } from "node:child_process"
import { chmodSync, rmSync } from "node:fs"

rmSync("dist", { recursive: true, force: true })
execFileSync("tsc", ["-p", "tsconfig.build.json"], { stdio: "inherit" })
chmodSync("dist/bin/seamless.js", 0o755)
