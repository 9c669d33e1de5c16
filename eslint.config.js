/**
 * How the code reads, as far as a linter can hold it: the import graph, one
 * import site per driver, the shape of files and functions, and what may never
 * be written. `test/lint/` plants a violation of every rule switched on here
 * under a name that starts with `relay/` and sees it caught.
 *
 * No comment in the code can switch a rule off. A rule that is wrong is
 * changed here, where the reason can be read.
 */
import jsdoc from 'eslint-plugin-jsdoc'
import neostandard from 'neostandard'
import relay from './eslint-rules/index.js'

/**
 * Who may import whom inside src. Verbs are the journey, nouns the ground,
 * faces are how people reach it; imports go downstream only, and ingest and
 * deliver meet in the queue. `(types)` lets a type be read where it is made,
 * instead of copied, and lets nothing through that runs.
 */
const WAY_IN = ['accept', 'record', 'queue', 'outbound', 'redis', 'model', 'disk', 'time']
const IMPORT_GRAPH = {
  // where the parts are put together
  'main.ts': ['*'],
  'gateway.ts': ['*'],
  gateway: ['*'],

  // the journey
  ingest: ['accept', 'record', 'queue', 'outbound', 'config (types)', 'redis (types)', 'model', 'time'],
  quarantine: WAY_IN,
  replay: WAY_IN,
  accept: ['record', 'queue', 'redis', 'model', 'disk', 'time'],
  deliver: ['record', 'outbound', 'model'],
  alerts: ['record', 'queue', 'outbound', 'model', 'disk', 'time'],
  conditions: ['accept (types)', 'config', 'record', 'redis', 'model'],
  transfer: ['record', 'redis', 'model'],

  // the ground
  queue: ['redis', 'model', 'time'],
  record: ['redis', 'model', 'time'],
  outbound: ['config', 'model'],
  redis: ['config (types)', 'model', 'disk', 'time'],
  config: ['model'],
  telemetry: ['model'],
  model: [],
  disk: [],
  time: [],

  // the faces
  admin: ['accept (types)', 'alerts (types)', 'conditions', 'config (types)', 'replay', 'record', 'queue', 'model', 'time'],
  cli: ['admin (types)', 'config', 'model']
}

/** Where each driver may be imported, its types included. */
const DRIVER_SITES = {
  bullmq: ['src/queue/bullmq'],
  ioredis: ['src/redis'],
  undici: ['src/outbound'],
  yaml: ['src/config/load.ts'],
  fastify: ['src/ingest', 'src/admin'],
  '@fastify': ['src/ingest', 'src/admin'],
  commander: ['src/cli', 'src/main.ts'],
  pino: ['src/telemetry']
}

/** What a test may not say, by name of its place in the syntax tree. */
const UNFINISHED_TESTS = [
  {
    selector: 'CallExpression[callee.type="MemberExpression"][callee.property.name=/^(only|skip|todo)$/]',
    message: 'Every test runs, every time: no only, skip or todo.'
  },
  {
    selector: 'CallExpression[callee.property.name="test"] > ObjectExpression > Property[key.name=/^(only|skip|todo)$/] > Literal.value',
    message: 'Every test runs, every time. A skip may depend on a condition, never on nothing.'
  }
]

export default [
  ...neostandard({
    ts: true,
    noJsx: true,
    ignores: ['dist/**', '.compiled/**', 'node_modules/**', '.tap/**', 'data/**']
  }),

  {
    name: 'relay/everywhere',
    plugins: { relay },
    linterOptions: { noInlineConfig: true },
    rules: {
      'relay/domain-names': 'error',
      'relay/no-lint-comments': 'error',
      'relay/opening-comment': 'error'
    }
  },

  {
    name: 'relay/typescript',
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      'relay/no-cycle': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/ban-ts-comment': ['error', { 'ts-expect-error': true }],
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-floating-promises': ['error', {
        // tap itself waits for the tests it was given.
        allowForKnownSafePromises: [{ from: 'package', package: '@tapjs/core', name: 'PromiseWithSubtest' }]
      }],
      '@typescript-eslint/no-misused-promises': 'error',
      // A schema and the type it describes share one name; the compiler refuses every other repetition.
      '@typescript-eslint/no-redeclare': 'off',
      // It does not see a callback change what a loop that awaits looks at.
      'no-unmodified-loop-condition': 'off',
      // `void` before a call says that nobody waits for it, on purpose.
      'no-void': ['error', { allowAsStatement: true }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }]
    }
  },

  {
    name: 'relay/src',
    files: ['src/**/*.ts'],
    plugins: { jsdoc },
    rules: {
      'relay/import-graph': ['error', IMPORT_GRAPH],
      'relay/driver-site': ['error', DRIVER_SITES],
      'relay/glossary-words': ['error', 'src/model/glossary.md'],
      // What is exported and a function says what it takes, returns and throws; types are left to their members.
      'jsdoc/require-jsdoc': ['error', {
        publicOnly: { ancestorsOnly: true, esm: true, cjs: false, window: false },
        require: { FunctionDeclaration: true, ArrowFunctionExpression: true, FunctionExpression: true },
        checkConstructors: false,
        enableFixer: false
      }],
      // The third is an object when there is more to say.
      'max-params': ['error', 3],
      'max-lines': ['error', { max: 250, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 50, skipBlankLines: true, skipComments: true, IIFEs: true }],
      'no-console': 'error',
      'no-restricted-imports': ['error', {
        name: 'node:os', importNames: ['userInfo', 'homedir'], message: 'They fail for a user without a name (docker --user 12345): disk/own-uid asks for the number.'
      }],
      'no-restricted-properties': ['error', ...['stdout', 'stderr'].map(property => ({
        object: 'process', property, message: 'A reader that has stopped would stop the gateway: the log is written through telemetry/, commands write to their terminal.'
      }))],
      'no-restricted-globals': ['error', { name: 'fetch', message: 'Requests go through outbound/, which guards where they may go.' }]
    }
  },
  {
    name: 'relay/src: where the streams of the process are opened',
    files: ['src/telemetry/open-lines.ts'],
    rules: { 'no-restricted-properties': 'off' }
  },
  {
    name: 'relay/src: the faces that speak to a terminal',
    files: ['src/cli/**/*.ts', 'src/main.ts'],
    rules: {
      'no-console': 'off',
      // The commands are clients of the admin API, not of a subscriber.
      'no-restricted-globals': 'off'
    }
  },

  {
    name: 'relay/test',
    files: ['test/**/*.ts'],
    rules: {
      'relay/no-sleep': 'error',
      'no-restricted-syntax': ['error', ...UNFINISHED_TESTS],
      // A test file's title says what it is for, unless others build on it.
      'relay/opening-comment': 'off',
      // What a terminal is sent can only be looked for as what it is.
      'no-control-regex': 'off',
      // A fake server's handler may be async: a rejection ends the test, as it should.
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }]
    }
  },
  {
    name: 'relay/test: what tests build on, and what runs them',
    files: ['test/support/**/*.ts', 'test/run/*.ts'],
    rules: {
      'relay/opening-comment': 'error',
      // The one place where a condition is polled for.
      'relay/no-sleep': 'off'
    }
  }
]
