/** The step from what every Node can read to what this one can: an older one would not get past the word below. */
import('./main.mjs')
