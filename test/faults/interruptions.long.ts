import { testInterruptions } from './interruptions.ts'
import { journeys } from './journeys.ts'

for (const journey of journeys) await testInterruptions(journey, ['cancel', 'kill'], ['before', 'answered'])
