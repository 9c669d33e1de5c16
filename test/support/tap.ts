/**
 * What a test file registers its tests on. Run by itself that is tap's root;
 * in a suite, where one process runs many files one after another, it is the
 * file's own test: what a file sets up ends with it, and what fails names it.
 */
import t, { type Test } from 'tap'

let current: Test = t
/** What has no test around it (a run of chaos) waits as long as it must. */
let limitMs = Infinity

/** Read while a file is loaded, never later. */
export { current as default, type Test }

/**
 * The tests that are registered from now on are part of this one.
 *
 * @param eachMs  a test of it is hung when it takes longer, unless it says so itself; milliseconds
 */
export function registerOn (test: Test, eachMs: number): void {
  test.on('subtestStart', one => {
    one.options.timeout ??= eachMs
    if ('teardown' in one) endEvenWhatComesLate(one as Test)
  })
  current = test
  limitMs = eachMs
}

/** How long a test may take here, milliseconds. */
export function hardLimitMs (): number {
  return limitMs
}

/**
 * A test that took too long is over while its body still goes on and makes
 * things: those are ended at once.
 */
function endEvenWhatComesLate (test: Test): void {
  const register = test.teardown.bind(test)
  let isOver = false
  test.teardown = end => {
    if (!isOver && !test.timedOut) {
      register(() => {
        isOver = true
        return end()
      })
      return
    }
    // (An error would be taken for one of the next test.)
    void Promise.resolve(end()).catch(() => {})
  }
}
