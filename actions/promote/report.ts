import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Environment } from '../../src/action/inputs.ts'
import type { Outcome } from '../../src/action/run.ts'
import { writeSummary } from '../../src/action/summary.ts'
import { quote, sections } from '../../src/markdown.ts'
import type { ModuleHash } from '../../src/module/hash.ts'
import type { Deployment } from '../../src/release/deployment.ts'
import {
  failuresIn,
  hasSucceeded,
  type Promotion,
  promotionJson,
  resultOf
} from '../../src/release/promote/promotion.ts'
import {
  type Provenance,
  promotionHeadline,
  renderPromotion,
  renderProvenance
} from '../../src/release/promote/summary.ts'
import { headlineOf, renderDeployment } from '../../src/release/summary.ts'
import { keepSavedModule } from '../keep-module.ts'
import { type Failing, failureOf, outputsOfRelease } from '../releasing.ts'
import type { checkingFor } from '../wanted-checks.ts'
import type { Origin } from './origin.ts'
import type { spec } from './spec.ts'

export type ReporterOptions = {
  /** For the reports of checks. */
  readonly folder: string
  readonly environment: Environment
  readonly checking: Awaited<ReturnType<typeof checkingFor>>
  readonly provenance: Provenance
}

/** Tells of each database as it is over, and of all of them in the end. */
export type Reporter = {
  add(deployment: Deployment): Promise<void>
  finish(promotion: Promotion): Promise<Outcome<typeof spec>>
}

/** `isAlone`: there is one database, of which all is told that a deploy tells. */
export function reporterFor(isAlone: boolean, options: ReporterOptions): Reporter {
  return isAlone ? tellingOfOne(options) : tellingOfMany(options)
}

function tellingOfOne({ folder, environment, checking, provenance }: ReporterOptions): Reporter {
  let told: Outcome<typeof spec> = { outputs: {} }
  return {
    add: async (deployment) => {
      await writeSummary(`${renderDeployment(deployment)}\n${renderProvenance(provenance)}`, environment)
      const checked = await checking?.reportChecks(deployment, folder, environment)
      const keep = keepingOnce(environment)
      await keep(deployment)
      told = {
        outputs: { ...outputsOfRelease(deployment), ...checked },
        ...failureOf('promote', deployment, deployment.database)
      }
    },
    finish: async (promotion) => ({ ...told, outputs: { ...told.outputs, ...(await outputsOf(promotion, folder)) } })
  }
}

function tellingOfMany({ folder, environment, checking, provenance }: ReporterOptions): Reporter {
  const keep = keepingOnce(environment)
  const failedChecks: string[] = []
  return {
    add: async (deployment) => {
      const own = join(folder, deployment.database)
      if (deployment.smoke) await mkdir(own, { recursive: true })
      const failed = await checking?.reportFailedChecks(deployment, own, environment)
      if (failed !== undefined && failedChecks.length < mostFailedChecks) failedChecks.push(failed)
      await keep(deployment)
    },
    finish: async (promotion) => {
      await writeSummary(renderPromotion(promotion, provenance), environment)
      for (const failed of failedChecks) await writeSummary(failed, environment)
      return { outputs: await outputsOf(promotion, folder), ...failureOfPromotion(promotion) }
    }
  }
}

/** One is mostly like the other. */
const mostFailedChecks = 10

/** Keeps what was live before for a later rollback, each module once, where releases are written down. */
function keepingOnce(environment: Environment): (deployment: Deployment) => Promise<void> {
  const kept = new Set<ModuleHash>()
  return async ({ release, previousModulePath: path, previousHash: hash }) => {
    if (release === undefined || path === undefined || hash === undefined || kept.has(hash)) return
    kept.add(hash)
    await keepSavedModule(path, hash, environment)
  }
}

async function outputsOf(promotion: Promotion, folder: string) {
  const { databases, moduleHash, identity, releases } = promotion
  const failed = failuresIn(promotion).length
  const notBegun = databases.filter(({ result }) => result === 'not-begun').length
  const file = join(folder, 'promotion.json')
  await mkdir(folder, { recursive: true })
  await writeFile(file, promotionJson(promotion))
  return {
    result: resultOf(promotion),
    promotion: file,
    databasesDone: String(databases.length - failed - notBegun),
    databasesFailed: String(failed),
    databasesNotBegun: String(notBegun),
    moduleHash,
    identity,
    ...(releases?.[0] && { releaseId: String(releases[0].id) })
  }
}

/** The error of a step that promoted to several databases, when not all ended as they should. */
export function failureOfPromotion(promotion: Promotion): Failing {
  if (hasSucceeded(promotion)) return {}
  const failures = failuresIn(promotion)
  const reasons = failures.slice(0, 5).map((each) => `${headlineOf(each, each.database)}: ${firstLine(each.reason)}`)
  const more = failures.length > reasons.length ? [`And ${failures.length - reasons.length} more.`] : []
  const message = [promotionHeadline(promotion), ...reasons, ...more].join('\n')
  return { failure: { title: `promote: ${resultOf(promotion)}`, message } }
}

function firstLine(text = ''): string {
  return text.split('\n', 1)[0] ?? ''
}

/** The outcome of a step that was not to promote what there is. */
export async function refusal(
  { reason, hash }: Extract<Origin, { kind: 'refused' }>,
  identity: string,
  environment: Environment
): Promise<Outcome<typeof spec>> {
  await writeSummary(`${sections(['## ⛔ Refused: nothing was promoted', quote(reason)])}\n`, environment)
  return {
    outputs: { result: 'refused', moduleHash: hash, identity },
    failure: { title: 'promote: refused', message: `Nothing was promoted.\n${reason}` }
  }
}
