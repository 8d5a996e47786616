/** How much does a host need for a long answer? One with nothing to do beside; told so, it stores the series first. */
import process from "node:process"
import { launchHost } from "../support/launchHost.ts"
import { configuration, store } from "./story.ts"

const [servers = "", windowCount = "0"] = process.argv.slice(2)

launchHost({ configuration, servers, store: store(Number(windowCount)) })
