import { homedir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { cargoHomeOf } from '../../src/build/cargo-home.ts'

const both = { HOME: '/c/Users/me', USERPROFILE: 'C:/Users/me' }

test.each<[NodeJS.Platform, Record<string, string>, string]>([
  ['linux', both, join('/c/Users/me', '.cargo')],
  ['win32', both, join('C:/Users/me', '.cargo')],
  ['win32', { HOME: '/c/Users/me' }, join(homedir(), '.cargo')],
  ['linux', {}, join(homedir(), '.cargo')],
  ['linux', { ...both, CARGO_HOME: '' }, join('/c/Users/me', '.cargo')],
  ['win32', { ...both, CARGO_HOME: 'D:/cargo' }, 'D:/cargo']
])('on %s with %j', (platform, environment, home) => expect(cargoHomeOf(environment, platform)).toBe(home))
