/**
 * All that a fresh clone needs, on a machine with git, Node and npm: packages,
 * a build, a redis-server. npm runs it before the demo and the tests; when all
 * is there it says nothing.
 *
 *   node build/setup.cjs            for the demo
 *   node build/setup.cjs --tests    for the tests as well
 *
 * Ends with 0 when all is there, with 2 when somebody must install something
 * first, with 1 when it tried and failed. This file is of the oldest syntax
 * and CommonJS, so that a Node that is too old can read it and say so.
 */
'use strict'

const LEAST = require('../package.json').engines.node.replace('>=', '')

function isOlder (version, least) {
  const parts = version.split('.').map(Number)
  const wanted = least.split('.').map(Number)
  return parts[0] < wanted[0] || (parts[0] === wanted[0] && parts[1] < wanted[1])
}

if (isOlder(process.versions.node, LEAST)) {
  console.error('setup: Node.js ' + process.versions.node + ' is too old: install ' + LEAST + ' or newer from https://nodejs.org/en/download')
  process.exit(2)
} else {
  require('./setup/begin.cjs')
}
