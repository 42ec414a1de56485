import { journeys } from './journeys.ts'
import { type FaultName, faults, testFaults } from './matrix.ts'

/** `npm run test:faults`: every fault at every request. */
for (const journey of journeys) await testFaults(journey, Object.keys(faults) as FaultName[])
