import { readFileSync } from 'node:fs'

// Prints which tests were skipped, and the counts of a run of jest. A file of tests that could not be run counts as a
// test that failed.
const [file] = process.argv.slice(2)
const results = JSON.parse(readFileSync(file, 'utf8'))
const tests = results.testResults.flatMap(({ assertionResults }) => assertionResults)
for (const { status, fullName } of tests) if (status === 'pending') console.log(`Skipped: ${fullName}`)
const passed = results.numPassedTests
const failed = results.numFailedTests + results.numRuntimeErrorTestSuites
const skipped = results.numPendingTests + results.numTodoTests
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
if (failed > 0 || passed === 0) process.exitCode = 1
