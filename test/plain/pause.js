// How does a request wait before it is sent again? For some milliseconds, or until it is called off.

import { Cancelled } from "./errors.js"

export async function pause(milliseconds, signal) {
  if (signal?.aborted) throw new Cancelled("the request was called off")
  await new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds)
    signal?.addEventListener(
      "abort",
      () => {
        clearTimeout(timer)
        resolve()
      },
      { once: true }
    )
  })
  if (signal?.aborted) throw new Cancelled("the request was called off")
}
