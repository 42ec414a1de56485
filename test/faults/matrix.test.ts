import { journeys } from './journeys.ts'
import { type FaultName, testFaults } from './matrix.ts'

/** The faults that differ most in what they leave behind; `npm run test:faults` has all of them. */
const chosen: readonly FaultName[] = [
  'reset before the server got it',
  'reset after the server got it',
  'half of the answer, as if it were whole'
]

for (const journey of journeys) await testFaults(journey, chosen)
