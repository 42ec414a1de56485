import { flag, matching, text } from './input-types.ts'

/** The inputs by which an archive of SpacetimeDB's release is found, checked and kept. */
export const archiveInputs = {
  sha256: {
    description:
      "The digest of the release's archive for this platform. Without it the one that GitHub's releases API states. An archive with another is never used.",
    schema: matching(/^[0-9a-f]{64}$/i, 'a SHA-256: 64 hex digits')
  },
  'releases-url': {
    description:
      'The base of a mirror of your own, from which the archive is downloaded instead: `<releases-url>/v2.8.3/spacetime-x86_64-unknown-linux-gnu.tar.gz`.',
    schema: matching(/^https?:\/\/[^\s/@?#]+[^\s@?#]*$/i, 'an http or https URL without user, query and fragment')
  },
  'github-token': {
    description:
      'For the releases API of the GitHub that the job runs on, which answers few requests without one. It is sent to nothing else.',
    schema: text('a token of GitHub'),
    expression: 'github.token',
    secret: true
  },
  cache: {
    description:
      'Whether to keep the downloaded archive in the cache of the repository (`actions/cache`), beside the tool cache of the machine.',
    schema: flag(),
    default: 'true'
  }
} as const
