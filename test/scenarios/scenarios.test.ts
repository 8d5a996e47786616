/** Do the stories of a day come out as they are told? */
import * as DayStory from "../support/DayStory.ts"
import { transcript } from "../support/transcript.ts"

const story = (name: string) => new URL(`${name}.txt`, import.meta.url)

transcript("a read with a small gap fills it once", story("readSmallGap"), DayStory.begin)
transcript("a lease expires, and the late holder is harmless", story("leaseExpires"), DayStory.begin)
