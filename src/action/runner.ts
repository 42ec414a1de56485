/**
 * Whether what this process prints is read by a runner of GitHub Actions, or one that is like it. Elsewhere its commands
 * (`::error …`) would be lines of the log as they are, and `::add-mask::` would show the very secret.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/variables: `GITHUB_ACTIONS` is always `true` there.
 */
export function isOnRunner(): boolean {
  return process.env.GITHUB_ACTIONS === 'true'
}
