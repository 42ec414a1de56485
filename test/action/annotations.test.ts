import { afterAll, expect, test } from '@jest/globals'
import { removeLibrary, runStep } from './step.ts'

afterAll(removeLibrary)

test('complaints are shown at their places, and the step keeps room for its own error', async () => {
  const step = await runStep(`
    const at = (line, more) => ({ file: 'src/a,b.rs', line, ...more })
    annotate([
      { severity: 'error', title: 'E0308', message: 'two\\nlines', place: at(7, { column: 5 }) },
      { severity: 'error', title: 'E0308', message: 'of several lines', place: at(7, { column: 5, endLine: 9 }) },
      { severity: 'error', title: 'Linker', message: 'nowhere' },
      { severity: 'warning', title: 'W', message: 'watch out', place: at(1) },
      ...Array.from({ length: 12 }, (_, i) => ({ severity: 'error', title: 'E', message: 'more ' + i, place: at(i + 1) }))
    ])
    annotateFailure('Build failed', 'The build failed.')`)
  expect(step.exitCode).toBe(1)
  const shown = (name: string) => step.commands.filter((command) => command.name === name)
  expect(shown('error')[0]).toMatchObject({
    text: 'two\nlines',
    properties: 'title=E0308,file=src/a%2Cb.rs,line=7,col=5'
  })
  expect(shown('error')[1]?.properties).toBe('title=E0308,file=src/a%2Cb.rs,line=7,endLine=9')
  expect(shown('error')[2]?.properties).toBe('title=Linker')
  expect(shown('warning').map(({ text }) => text)).toEqual(['watch out'])
  expect(shown('error')).toHaveLength(10)
  expect(shown('error').at(-1)?.text).toBe('The build failed.')
  expect(step.stdout).toContain('src/a,b.rs:12: error: more 11')
})
