import { warn } from '../src/action/annotations.ts'
import { log } from '../src/action/log.ts'
import type { CommentOutcome } from '../src/github/comment.ts'

/** Tells what became of a comment. One that could not be written never fails a step. */
export function tellComment(outcome: CommentOutcome): void {
  if (outcome.kind === 'failed') warn('No comment on the pull request', outcome.reason)
  else log(textOf(outcome))
}

function textOf(outcome: Exclude<CommentOutcome, { kind: 'failed' }>): string {
  switch (outcome.kind) {
    case 'created':
    case 'updated':
    case 'unchanged':
      return `The comment on the pull request was ${outcome.kind}: ${outcome.url}`
    case 'removed':
      return 'There is nothing to say any more: the comment on the pull request was removed.'
    case 'nothing':
      return 'There is nothing to say on the pull request.'
    case 'not-allowed':
      return `No comment on the pull request: ${outcome.reason}`
  }
}
