import { join } from 'node:path'

/** Where programs are found on the runner. */
export const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/**
 * The variables that every step gets from the runner, for a job whose folders lie in `folder`. Nothing of this
 * process's environment but what finds programs is among them
 * (https://docs.github.com/actions/reference/workflows-and-actions/variables).
 */
export function runnerVariables(folder: string, event: string): Record<string, string | undefined> {
  return {
    PATH: systemPath,
    LANG: 'C.UTF-8',
    HOME: join(folder, 'home'),
    TMPDIR: join(folder, 'tmp'),
    CI: 'true',
    GITHUB_ACTIONS: 'true',
    GITHUB_ACTION: '__org_stdb-actions',
    GITHUB_ACTOR: 'octocat',
    GITHUB_API_URL: 'https://api.github.com',
    GITHUB_EVENT_NAME: event,
    GITHUB_EVENT_PATH: join(folder, 'event.json'),
    GITHUB_GRAPHQL_URL: 'https://api.github.com/graphql',
    GITHUB_JOB: 'deploy',
    GITHUB_REF: 'refs/heads/main',
    GITHUB_REF_NAME: 'main',
    GITHUB_REF_TYPE: 'branch',
    GITHUB_REPOSITORY: 'octocat/game',
    GITHUB_REPOSITORY_ID: '1296269',
    GITHUB_REPOSITORY_OWNER: 'octocat',
    GITHUB_RUN_ATTEMPT: '1',
    GITHUB_RUN_ID: '7654321',
    GITHUB_RUN_NUMBER: '7',
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_SHA: '7fd1a60b01f91b314f59955a4e4d4e80d8edf11d',
    GITHUB_TRIGGERING_ACTOR: 'octocat',
    GITHUB_WORKFLOW: 'Deploy',
    GITHUB_WORKFLOW_REF: 'octocat/game/.github/workflows/deploy.yml@refs/heads/main',
    GITHUB_WORKSPACE: join(folder, 'workspace'),
    RUNNER_ARCH: process.arch === 'arm64' ? 'ARM64' : 'X64',
    RUNNER_ENVIRONMENT: 'github-hosted',
    RUNNER_NAME: 'GitHub Actions 1',
    RUNNER_OS: process.platform === 'darwin' ? 'macOS' : process.platform === 'win32' ? 'Windows' : 'Linux',
    RUNNER_TEMP: join(folder, 'temp'),
    RUNNER_TOOL_CACHE: join(folder, 'tools'),
    ...(process.platform === 'win32' ? { PATH: process.env.PATH, SystemRoot: process.env.SystemRoot } : {})
  }
}
