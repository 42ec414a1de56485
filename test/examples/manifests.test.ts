import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { root } from '../../scripts/repository.ts'
import { documentsOf, filesOf, textOf } from './example.ts'

const [compose] = documentsOf('compose.yaml')
const [kustomization] = documentsOf('kubernetes/kustomization.yaml')
const resources = (kustomization.resources as string[]).flatMap((path) => documentsOf(`kubernetes/${path}`))
const ofKind = (kind: string) => resources.filter((resource) => resource.kind === kind)
const [stateful] = ofKind('StatefulSet')
const pod = stateful.spec.template.spec
const [container] = pod.containers

const entrypoint = join(root, 'docker/entrypoint.sh')

test.each(filesOf(/\.ya?ml$/))('%s is YAML', (path) => {
  expect(documentsOf(path).every((document) => document !== null)).toBe(true)
})

test.each(filesOf(/\.json$/))('%s is JSON', (path) => {
  expect(JSON.parse(textOf(path))).toEqual(expect.any(Object))
})

test('every manifest is in the kustomization', () => {
  const manifests = filesOf(/\.yaml$/).filter((path) => /^kubernetes\/(?!kustomization)/.test(path))
  expect(manifests.sort()).toEqual((kustomization.resources as string[]).map((path) => `kubernetes/${path}`).sort())
})

test('there is one server, with a volume of its own', () => {
  expect(stateful.spec.replicas).toBe(1)
  expect(stateful.spec.volumeClaimTemplates.map((claim: { metadata: unknown }) => claim.metadata)).toEqual([
    { name: 'data' }
  ])
  const [budget] = ofKind('PodDisruptionBudget')
  expect(budget.spec).toMatchObject({ maxUnavailable: 0, selector: stateful.spec.selector })
})

test('services and policy select the pod, and the headless one is what the StatefulSet names', () => {
  const { labels } = stateful.spec.template.metadata
  expect(stateful.spec.selector.matchLabels).toEqual(labels)
  const selectors = ofKind('Service').map((service) => service.spec.selector)
  expect([...selectors, ofKind('NetworkPolicy')[0].spec.podSelector.matchLabels]).toEqual([labels, labels, labels])
  const headless = ofKind('Service').filter((service) => service.spec.clusterIP === 'None')
  expect(headless.map(({ metadata }) => metadata.name)).toEqual([stateful.spec.serviceName])
})

test('the pod has no rights', () => {
  expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000, fsGroup: 1000 })
  expect(pod.securityContext.seccompProfile).toEqual({ type: 'RuntimeDefault' })
  expect(container.securityContext).toEqual({
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] }
  })
  expect(pod.automountServiceAccountToken).toBe(false)
  expect(ofKind('ServiceAccount')).toMatchObject([
    { metadata: { name: pod.serviceAccountName }, automountServiceAccountToken: false }
  ])
  expect(container.resources).toMatchObject({ requests: expect.any(Object), limits: { memory: expect.any(String) } })
})

test('compose gives the container no rights, and the port to this machine alone', () => {
  const { counter } = compose.services
  expect(counter).toMatchObject({
    user: '1000:1000',
    read_only: true,
    cap_drop: ['ALL'],
    mem_limit: expect.any(String)
  })
  for (const service of Object.values<{ ports: string[] }>(compose.services)) {
    expect(service.ports.every((port) => port.startsWith('127.0.0.1:'))).toBe(true)
  }
  expect(Object.keys(compose.volumes)).toContain(counter.volumes[0].split(':')[0])
})

test('what has to be filled in can not be deployed by mistake', () => {
  const [image] = kustomization.images
  expect(image.name).toBe(container.image)
  // Neither is allowed: a capital letter in a name, other than 64 hex digits in a digest.
  expect(image.newName).toMatch(/[A-Z]/)
  expect(image.digest).not.toMatch(/^sha256:[0-9a-f]{64}$/)
  expect(ofKind('Secret')).toEqual([])
  const [generator] = kustomization.secretGenerator
  const keys = pod.volumes.find(({ name }: { name: string }) => name === 'keys')
  expect(keys.secret.secretName).toBe(generator.name)
  expect(textOf('.gitignore').split('\n')).toContain('kubernetes/keys/')
})

test('the policy lets in what the probes, clients and Prometheus need, and out DNS and issuers', () => {
  const [{ spec }] = ofKind('NetworkPolicy')
  expect(spec.policyTypes).toEqual(['Ingress', 'Egress'])
  const ports = spec.ingress.flatMap((rule: { ports: { port: unknown }[] }) => rule.ports.map(({ port }) => port))
  expect(new Set(ports)).toEqual(new Set([container.ports[0].name]))
  expect(spec.ingress.every((rule: { from: unknown[] }) => rule.from.length > 0)).toBe(true)
  const out = spec.egress.flatMap((rule: { ports: { port: unknown }[] }) => rule.ports.map(({ port }) => port))
  expect(out).toEqual([53, 53, 443])
})

test('probes ask what the server and the image answer', () => {
  expect(container.startupProbe.exec.command).toEqual(['/usr/local/bin/stdb-entrypoint', 'health'])
  for (const probe of [container.readinessProbe, container.livenessProbe]) {
    expect(probe.httpGet).toEqual({ path: '/v1/ping', port: container.ports[0].name })
  }
  expect(compose.services.counter.healthcheck.test.slice(1)).toEqual(container.startupProbe.exec.command)
  expect(textOf('Dockerfile')).toContain('CMD ["/usr/local/bin/stdb-entrypoint", "health"]')
})

describe('what is set in the environment', () => {
  const inKubernetes: string[] = container.env.map(({ name }: { name: string }) => name)
  const inCompose = Object.keys(compose.services.counter.environment)
  const inDockerfile = [...textOf('Dockerfile').matchAll(/^(?:ENV| {4})\s*([A-Z_]+)=\S+/gm)].map(
    ([, name]) => `${name}`
  )

  test('says where data is, which database, and how much is logged', () => {
    expect(inCompose).toEqual(expect.arrayContaining(['RUST_LOG', 'SPACETIMEDB_DATA_DIR', 'SPACETIMEDB_DATABASE']))
    expect(inDockerfile).toContain('SPACETIMEDB_DATABASE')
  })

  test('is read by the entrypoint, but for what it hands on', () => {
    const script = readFileSync(entrypoint, 'utf8')
    const handedOn = ['RUST_LOG', 'HOME']
    const read = (name: string) => script.includes(`\${${name}:-`)
    const given = [...inKubernetes, ...inCompose, ...inDockerfile].filter((name) => !handedOn.includes(name))
    expect(given.filter((name) => !read(name))).toEqual([])
  })

  test('lies where the volumes are', () => {
    const value = (name: string) => container.env.find((each: { name: string }) => each.name === name)?.value
    const mounts = container.volumeMounts.map(({ mountPath }: { mountPath: string }) => mountPath)
    expect(mounts).toEqual(expect.arrayContaining([value('SPACETIMEDB_DATA_DIR'), value('SPACETIMEDB_KEY_DIR')]))
    const { environment, volumes } = compose.services.counter
    expect(volumes[0].split(':')[1]).toBe(environment.SPACETIMEDB_DATA_DIR)
  })
})
