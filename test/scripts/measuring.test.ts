import { describe, expect, test } from '@jest/globals'
import { judge, measurementOf } from '../../scripts/measuring.ts'

describe('a measurement', () => {
  test('is a median with its quartiles', () => {
    expect(measurementOf([5, 1, 4, 2, 3])).toEqual({ median: 3, lower: 2, upper: 4 })
    expect(measurementOf([7])).toEqual({ median: 7, lower: 7, upper: 7 })
    expect(() => measurementOf([])).toThrow('nothing')
  })

  test.each([
    ['met', { lower: 1, median: 2, upper: 9 }],
    ['met', { lower: 1, median: 9, upper: 20 }],
    ['too close to tell', { lower: 9, median: 11, upper: 12 }],
    ['over', { lower: 11, median: 12, upper: 13 }]
  ])('is %s: %j', (verdict, measurement) => {
    expect(judge(measurement, 10)).toBe(verdict)
  })
})
