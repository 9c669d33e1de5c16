/**
 * The rules of this house that no published plugin has. Each is one file, is
 * switched on in eslint.config.js, and is seen to catch a planted violation in
 * test/lint/.
 */
import domainNames from './domain-names.js'
import driverSite from './driver-site.js'
import glossaryWords from './glossary-words.js'
import importGraph from './import-graph.js'
import noCycle from './no-cycle.js'
import noLintComments from './no-lint-comments.js'
import noSleep from './no-sleep.js'
import openingComment from './opening-comment.js'

export default {
  meta: { name: 'relay' },
  rules: {
    'domain-names': domainNames,
    'driver-site': driverSite,
    'glossary-words': glossaryWords,
    'import-graph': importGraph,
    'no-cycle': noCycle,
    'no-lint-comments': noLintComments,
    'no-sleep': noSleep,
    'opening-comment': openingComment
  }
}
