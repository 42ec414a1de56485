import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type MetricSample, metricSamples, parseSample } from '../../src/spacetimedb/metrics-text.ts'
import { all } from './all.ts'

describe('a line of metrics', () => {
  test.each<[string, MetricSample]>([
    ['a_metric 1', { name: 'a_metric', labels: {}, value: 1 }],
    ['a:b{} -2.5e-3 1795459467699', { name: 'a:b', labels: {}, value: -0.0025 }],
    ['m{db="c2",reducer="",} +Inf', { name: 'm', labels: { db: 'c2', reducer: '' }, value: Number.POSITIVE_INFINITY }],
    [
      'm {a = "}, b=\\"1\\"" , b="\\\\n\\n"}\tNaN',
      { name: 'm', labels: { a: '}, b="1"', b: '\\n\n' }, value: Number.NaN }
    ],
    ['  m{le="0.005"} 0\r', { name: 'm', labels: { le: '0.005' }, value: 0 }],
    ['m{__proto__="x"} 1', { name: 'm', labels: JSON.parse('{"__proto__":"x"}'), value: 1 }]
  ])('%j', (line, expected) => {
    expect(parseSample(line)).toEqual(expected)
  })

  test.each([
    '',
    '# HELP m Help',
    '# TYPE m counter',
    'm',
    'm{',
    'm{a} 1',
    'm{a="b" 1',
    'm{a="b"c="d"} 1',
    'm x',
    '1m 1',
    'm 1 2 3'
  ])('%j is none', (line) => {
    expect(parseSample(line)).toBeUndefined()
  })

  test('gives back whatever was written, wherever the text is cut', async () => {
    const name = fc.stringMatching(/^[a-zA-Z_:][\w:]{0,8}$/)
    const labels = fc.dictionary(fc.stringMatching(/^[a-zA-Z_]\w{0,8}$/), fc.string({ unit: 'grapheme' }))
    const sample = fc.record({ name, labels, value: fc.double({ noNaN: true }).map((value) => value + 0) })
    await fc.assert(
      fc.asyncProperty(fc.array(sample), fc.integer({ min: 1, max: 50 }), async (samples, size) => {
        const bytes = new TextEncoder().encode(samples.map(written).join('\n# a comment\n'))
        expect(await all(metricSamples(pieces(bytes, size)))).toEqual(samples)
      })
    )
  })

  test('does not fail on any text', () => {
    fc.assert(fc.property(fc.string(), (text) => expect(() => parseSample(text)).not.toThrow()))
  })
})

function written({ name, labels, value }: MetricSample): string {
  const escaped = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
  const inside = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`)
  return `${name}{${inside.join(',')}} ${String(value).replace('Infinity', 'Inf')}`
}

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size)
}
