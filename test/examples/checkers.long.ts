import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { must } from '../rust/toolchain.ts'
import { documentsOf, example, textOf } from './example.ts'
import { composeSpec, kubectl, kubernetesValidate, passing, promtool, type Tool } from './tools.ts'

const folder = mkdtempSync(join(tmpdir(), 'example-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Tests with a tool; without it, one that is skipped and says why. */
function withTool(name: string, tool: Tool, tests: () => void): void {
  if (tool.kind === 'ready') {
    describe(name, tests)
    return
  }
  console.log(`${name} is not to be had: ${tool.reason}`)
  test.skip(`${name} (skipped: not to be had)`, () => undefined)
}

/** A copy of a file of the example with one text replaced. */
function changed(path: string, from: string, to: string): string {
  const text = textOf(path)
  if (!text.includes(from)) throw new Error(`${path} has no ${from}`)
  const copy = join(folder, path.replaceAll('/', '-'))
  writeFileSync(copy, text.replace(from, to))
  return copy
}

const prometheus = await promtool()
withTool('promtool', prometheus, () => {
  const monitoring = join(example, 'monitoring')

  test('takes rules and configuration', async () => {
    await passing(prometheus, 'check', 'rules', join(monitoring, 'rules.yml'))
    await passing(prometheus, 'check', 'config', join(monitoring, 'prometheus.yml'))
  })

  test('takes the configuration for a cluster, all but how targets are found', async () => {
    // Debian builds Prometheus without Kubernetes.
    const [config] = documentsOf('monitoring/prometheus-kubernetes.yml')
    for (const job of config.scrape_configs) {
      expect(job.kubernetes_sd_configs).toEqual([
        expect.objectContaining({ role: expect.stringMatching(/^(pod|node)$/) })
      ])
      delete job.kubernetes_sd_configs
      delete job.tls_config
      delete job.authorization
    }
    const path = join(folder, 'prometheus.yml')
    cpSync(join(monitoring, 'rules.yml'), join(folder, 'rules.yml'))
    writeFileSync(path, JSON.stringify(config))
    await passing(prometheus, 'check', 'config', path)
  })

  test('finds each alert firing when it should', async () => {
    await passing(prometheus, 'test', 'rules', join(monitoring, 'rules.test.yml'))
  })

  test('notices each alert that does not fire', async () => {
    const [all] = documentsOf('monitoring/rules.yml')
    const rules: { alert: string; expr: string }[] = all.groups.flatMap((group: { rules: unknown[] }) => group.rules)
    for (const rule of rules) rule.expr = 'vector(0) > 1'
    const place = mkdtempSync(join(folder, 'rules-'))
    writeFileSync(join(place, 'rules.yml'), JSON.stringify(all))
    cpSync(join(monitoring, 'rules.test.yml'), join(place, 'rules.test.yml'))
    const said = await passing(prometheus, 'test', 'rules', join(place, 'rules.test.yml')).catch(String)
    const missed = new Set([...said.matchAll(/alertname: (\w+)/g)].map(([, alert]) => alert))
    expect(missed).toEqual(new Set(rules.map(({ alert }) => alert)))
  })
})

const compose = await composeSpec()
withTool('the loader of Docker Compose', compose, () => {
  test('takes compose.yaml', async () => {
    const loaded = await passing(compose, join(example, 'compose.yaml'))
    expect(loaded).toContain('read_only: true')
  })

  test('refuses a mistake', async () => {
    const wrong = changed('compose.yaml', 'restart:', 'restarts:')
    await expect(passing(compose, wrong)).rejects.toThrow(/restarts/)
  })
})

const validate = await kubernetesValidate()
const kustomize = await kubectl()
withTool('the schemas of Kubernetes', validate, () => {
  const strictly = (path: string) => passing(validate, '--kubernetes-version', '1.37', '--strict', path)
  const manifests: string[] = documentsOf('kubernetes/kustomization.yaml')[0].resources

  test.each(manifests)('%s is as they want it', async (path) => {
    await strictly(join(example, 'kubernetes', path))
  })

  test.each([
    ['replicas: 1', 'replicas: one'],
    ['enableServiceLinks:', 'enableServiceLink:'],
    ['seccompProfile:', 'seccomp:']
  ])('%s as %s is noticed', async (from, to) => {
    await expect(strictly(changed('kubernetes/stateful-set.yaml', from, to))).rejects.toThrow('did not validate')
  })

  withTool('kubectl kustomize', kustomize, () => {
    const copy = join(folder, 'kubernetes')

    test('refuses to render without keys', async () => {
      cpSync(join(example, 'kubernetes'), copy, { recursive: true, filter: (path) => !path.endsWith('/keys') })
      await expect(passing(kustomize, 'kustomize', copy)).rejects.toThrow('id_ecdsa')
    })

    test('renders what is as the schemas want it, with keys made as the README says', async () => {
      const [, commands] = /```sh\n( *mkdir -p kubernetes\/keys\n[^`]*)```/.exec(textOf('README.md')) ?? []
      await must('sh', ['-ec', `${commands}`], folder)
      expect(readFileSync(join(copy, 'keys/id_ecdsa'), 'utf8')).toMatch(/^-----BEGIN PRIVATE KEY-----\n/)
      const rendered = join(folder, 'rendered.yaml')
      writeFileSync(rendered, await passing(kustomize, 'kustomize', copy))
      await strictly(rendered)
      expect(readFileSync(rendered, 'utf8')).toMatch(/secretName: counter-keys-\w+/)
    })
  })
})
