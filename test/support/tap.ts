/**
 * What a test file registers its tests on. Run by itself that is tap's root;
 * in a suite, where one process runs many files one after another, it is the
 * file's own test: what a file sets up ends with it, and what fails names it.
 */
import t, { type Test } from 'tap'
import { setHardLimit } from './limit.js'

let current: Test = t

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
    if ('teardown' in one) endWithItsTime(one as Test)
  })
  current = test
  setHardLimit(eachMs)
}

/**
 * A test that took too long is over while its body still goes on. What that
 * makes is ended at once, and what becomes of it is nobody's result: tap would
 * take it for the next test's.
 */
function endWithItsTime (test: Test): void {
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
    void Promise.resolve(end()).catch(() => {})
    throw new Error(`"${test.name}" is over: what it still makes is ended at once`)
  }
  const body = test.cb
  test.cb = async t => {
    try {
      await body?.(t)
    } catch (error) {
      if (!test.timedOut) throw error
    }
    if (test.timedOut) await new Promise(() => {})
  }
}
