import { afterAll, expect, jest, test } from '@jest/globals'
import { rustProject, startBuildStage } from './build-stage.ts'

jest.setTimeout(90_000)
const stage = await startBuildStage()
afterAll(() => stage.close())

test('x', async () => {
  const { main, post } = await stage.build({ files: rustProject('counter') })
  console.log(main.log, main.outputs, main.summary, main.annotations, post.log, main.files)
  expect(main.exitCode).toBe(0)
})
