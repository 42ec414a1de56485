import { getInput, info, setFailed } from '@actions/core'

/** https://github.com/actions/attest/blob/main/src/subject.ts */
const name = getInput('subject-name')
const digest = getInput('subject-digest')
const { ACTIONS_ID_TOKEN_REQUEST_URL } = process.env

if (!/^sha256:[0-9a-f]{64}$/.test(digest))
  setFailed(`subject-digest must be sha256: and 64 hex digits, and is "${digest}"`)
else if (name === '') setFailed('subject-name must be given with subject-digest')
else if (ACTIONS_ID_TOKEN_REQUEST_URL === undefined) setFailed('missing "id-token" permission')
else info(`would attest ${name}@${digest}`)
