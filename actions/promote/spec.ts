import { checkInputs, checkOutputs, reportFolderInput } from '../../src/action/check-inputs.ts'
import { audienceRule, connectionInputs, gateInputs, stepInputs } from '../../src/action/connection-inputs.ts'
import { choice, flag, matching, text, wholeNumber } from '../../src/action/input-types.ts'
import { ledgerInputs, ledgerOutputs, ledgerPermission } from '../../src/action/ledger-inputs.ts'
import { credentialRule, healthInputs, organizationInput, releaseChecksRule } from '../../src/action/release-inputs.ts'
import { defineAction } from '../../src/action/spec.ts'
import { results } from '../../src/release/deployment.ts'
import { releaseOutputs } from '../release-outputs.ts'

export const spec = defineAction({
  name: 'promote',
  title: 'Promote a SpacetimeDB module',
  description:
    'Brings the module that runs in one place to other databases, by its hash and without building it again: judged before, checked after, one database first and the others side by side.',
  branding: { icon: 'chevrons-right', color: 'purple' },
  permissions: [
    ledgerPermission,
    {
      name: 'actions',
      access: 'read',
      when: "for the module's bytes in an artifact, when the live database can't be read"
    },
    {
      name: 'contents',
      access: 'read',
      when: "to check out spacetime.json, and for the module's bytes at a GitHub release"
    },
    { name: 'packages', access: 'read', when: "for the module's bytes in a private package of ghcr.io" },
    { name: 'id-token', access: 'write', when: 'with `auth: oidc`; none is needed with a `token`' }
  ],
  inputs: {
    'from-environment': {
      description:
        'The environment to promote from: the ledger says which database that is, and whether the module passed its checks there. With `from-database` only the latter.',
      schema: ledgerInputs.environment.schema
    },
    'from-server': {
      description:
        'The server to promote from. Without it that of the ledger or, where `from-database` is given, `server`.',
      schema: connectionInputs.server.schema
    },
    'from-database': {
      description: 'The database to promote from. Without it that of the ledger.',
      schema: connectionInputs.database.schema
    },
    'from-token': {
      description:
        'A token for the server to promote from, from a secret. Without it the credential of the other inputs, on the same server or on the one that `from-server` names.',
      schema: connectionInputs.token.schema,
      secret: true
    },
    'module-hash': {
      description:
        'The only module that may be promoted. When another one is live by then, it is this one all the same, if the ledger has it as good; else nothing is promoted.',
      schema: matching(/^[0-9a-f]{64}$/i, '64 hex digits')
    },
    'allow-unchecked': {
      description:
        'Whether to promote a module of which nothing says that it passed its checks where it comes from: without checks, published by hand, or without a ledger.',
      schema: flag(),
      default: 'false'
    },
    server: { ...connectionInputs.server, description: 'The server to promote to.', required: true },
    database: {
      ...connectionInputs.database,
      description: 'The database to promote to. Give either this or `databases`.'
    },
    databases: {
      description:
        'Several databases of the server, one in each line or with commas between: names, or patterns with `*` and `?` that are looked up in spacetime.json. The first one is the canary: it goes alone, with its checks and soak.',
      schema: matching(/^[a-z0-9*?-]+([\s,]+[a-z0-9*?-]+)*[\s,]*$/, 'names of databases, or patterns such as `game-*`')
    },
    path: {
      description:
        'The folder in which the search for spacetime.json begins, for patterns in `databases`. It goes upward to the workspace.',
      schema: text('the path of a folder'),
      default: '.'
    },
    'max-parallel': {
      description: 'How many databases are under way at the same time, once the canary is through.',
      schema: wholeNumber({ min: 1, max: 50 }),
      default: '4'
    },
    'stop-on-failure': {
      description:
        'When nothing more is begun: after any failure (`true`), after one of the canary alone (`canary`), or never (`false`). What is under way is brought to its end.',
      schema: choice('true', 'canary', 'false'),
      default: 'true'
    },
    token: connectionInputs.token,
    auth: connectionInputs.auth,
    audience: connectionInputs.audience,
    'allow-insecure': connectionInputs['allow-insecure'],
    organization: organizationInput,
    create: {
      description:
        'Whether to create a database when there is none of its name. Without it that is a failure, since it is mostly a misspelt name.',
      schema: flag(),
      default: 'false'
    },
    ...gateInputs,
    ...stepInputs,
    ...healthInputs,
    ...checkInputs,
    checks: {
      ...checkInputs.checks,
      description:
        'The YAML file of checks (docs/checks.md) that decide in each database, besides its health check, whether the module is kept.'
    },
    soak: {
      ...checkInputs.soak,
      description:
        'How long to watch the new release after all else has passed: log, metrics and the served hash. Of several databases the canary is watched, before the others begin.'
    },
    'report-folder': reportFolderInput,
    'on-failure': {
      description:
        'What to do with a database in which the module is not healthy: publish its previous module again, or keep it. The job fails either way.',
      schema: choice('rollback', 'keep'),
      default: 'rollback'
    },
    'dry-run': {
      description:
        'Whether to stop before anything is changed: all databases are planned for. The job fails when one of them would have been refused.',
      schema: flag(),
      default: 'false'
    },
    reason: {
      description: 'Why, in a sentence: it is written down with the release.',
      schema: text()
    },
    ...ledgerInputs,
    environment: {
      ...ledgerInputs.environment,
      description:
        "The environment that is promoted to, of GitHub: the releases are shown and looked up under it, in the repository's deployments, and its spacetime.<environment>.json, if there is one, lies over spacetime.json. Without it the name of the database; with `databases` it has to be given."
    },
    'github-token': {
      ...ledgerInputs['github-token'],
      description:
        "For the ledger of releases and the module's bytes: GitHub's API and, where the module is a package, ghcr.io. It is sent to nothing else."
    }
  },
  outputs: {
    result: {
      description:
        'How the promotion ended. The job passes with `created`, `updated`, `unchanged` and `planned` (a dry run), and fails with every other. Of several databases the worst.',
      values: results
    },
    promotion: {
      description: 'The path of promotion.json: what became of each database (docs/promote.md says its form).'
    },
    'databases-done': { description: 'How many databases ended as they should.' },
    'databases-failed': { description: 'How many did not.' },
    'databases-not-begun': { description: 'How many were not begun, and are as they were.' },
    ...releaseOutputs,
    'module-hash': { description: 'The hash (keccak256, hex) of the module that was to be promoted.' },
    verdict: { ...releaseOutputs.verdict, description: `${releaseOutputs.verdict.description} Of one database.` },
    reversible: {
      ...releaseOutputs.reversible,
      description: `${releaseOutputs.reversible.description} Of one database.`
    },
    conditions: { description: `${releaseOutputs.conditions.description} Of one database.` },
    plan: {
      description: `${releaseOutputs.plan.description} Of one database; of several, promotion.json has the paths.`
    },
    'previous-module-hash': { description: `${releaseOutputs['previous-module-hash'].description} Of one database.` },
    'database-identity': { description: `${releaseOutputs['database-identity'].description} Of one.` },
    'previous-module': { description: `${releaseOutputs['previous-module'].description} Of one database.` },
    ...ledgerOutputs,
    ...checkOutputs,
    passed: {
      description: `${checkOutputs.passed.description} This and the other outputs about checks are set when checks were run, or a soak, in a promotion to one database; else promotion.json has them.`
    }
  },
  firstOutputs: { result: 'failed' },
  rules: [
    {
      about: ['database', 'databases'],
      holds: ({ database, databases }) => (database === undefined) !== (databases === undefined),
      message: 'Give either the input `database` or `databases`: what is to be promoted to.'
    },
    {
      about: ['from-environment', 'from-database'],
      holds: ({ fromEnvironment, fromDatabase }) => fromEnvironment !== undefined || fromDatabase !== undefined,
      message:
        'Say where the module comes from: give the input `from-environment`, or `from-server` and `from-database`.'
    },
    {
      about: ['from-token', 'from-server'],
      holds: ({ fromToken, fromServer }) => fromToken === undefined || fromServer !== undefined,
      message: 'The input `from-token` goes with `from-server` only: so that it is known where it is sent.'
    },
    {
      about: ['from-server', 'from-database'],
      holds: ({ fromServer, fromDatabase }) => fromServer === undefined || fromDatabase !== undefined,
      message: 'The input `from-server` goes with `from-database` only: say which database of it.'
    },
    {
      about: ['databases', 'environment', 'ledger'],
      holds: ({ databases, environment, ledger }) =>
        databases === undefined || environment !== undefined || ledger === 'none',
      message:
        'With `databases` give `environment` too: what their releases are shown and looked up under. Or `ledger: none` to write nothing down.'
    },
    credentialRule,
    audienceRule,
    releaseChecksRule
  ],
  post: true
})
