import { describe, expect, test } from '@jest/globals'
import { chooseDatabases, type NamedDatabases } from '../../../src/release/promote/choose-databases.ts'

const named: NamedDatabases = {
  file: 'spacetime.json + spacetime.production.json',
  names: ['game-eu', 'game-us', 'lobby', 'game-us-2'],
  elsewhere: ['dev-game']
}

const choose = (given: string, file = named) => chooseDatabases(given, async () => file)

describe('databases are', () => {
  test.each([
    ['names as they are, in their order', 'lobby game-eu', ['lobby', 'game-eu']],
    ['on lines or between commas', 'lobby,\n  game-eu\n', ['lobby', 'game-eu']],
    ['names that no file knows', 'new-one', ['new-one']],
    ['all that fit a pattern, in the order of the file', 'game-*', ['game-eu', 'game-us', 'game-us-2']],
    ['those that fit one character', 'game-?s', ['game-us']],
    ['each once, the canary first', 'game-us game-*', ['game-us', 'game-eu', 'game-us-2']],
    ['all there are', '*', ['game-eu', 'game-us', 'lobby', 'game-us-2']]
  ])('%s', async (_, given, expected) => {
    expect(await choose(given)).toEqual(expected)
  })

  test('not looked up where no pattern is', async () => {
    const readNamed = () => Promise.reject(new Error('it was read'))
    expect(await chooseDatabases('lobby', readNamed)).toEqual(['lobby'])
    await expect(chooseDatabases('lobby-*', readNamed)).rejects.toThrow('it was read')
  })
})

describe('a pattern that fits nothing', () => {
  test('is an error with what there is', async () => {
    await expect(choose('game-eu gaem-*')).rejects.toThrow(
      /`databases`: nothing fits `gaem-\*`\. spacetime\.json \+ spacetime\.production\.json names `game-eu`, `game-us`, `lobby`/
    )
  })

  test('says so when it fits databases of another server', async () => {
    await expect(choose('dev-*')).rejects.toThrow(/fits `dev-game`, which belong to another server/)
  })

  test('says so when there are none at all', async () => {
    await expect(choose('*', { file: 'spacetime.json', names: [], elsewhere: [] })).rejects.toThrow(
      /spacetime\.json names no database on this server/
    )
  })
})
