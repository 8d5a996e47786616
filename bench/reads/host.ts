/** How fast does a host of the product answer? One with the bench's series in its storage, and nothing to do beside. */
import process from "node:process"
import { launchHost } from "../support/launchHost.ts"
import { configurationOf, store } from "./story.ts"

const [servers = "", cacheBytes = ""] = process.argv.slice(2)

launchHost({ configuration: configurationOf(Number(cacheBytes)), servers, store })
