/** What is written into a program when it is bundled (program-bundle.ts). */

declare const bakedVersion: string
declare const bakedCommit: string
declare const bakedDescribeChild: string
declare const bakedRolldown: string

/** The release that the program says it is of. */
export const version = bakedVersion

/** Forty hex digits. */
export const commit = bakedCommit

/** The text of src/module/describe-child.js, which describes modules in a process of its own. */
export const describeChild = bakedDescribeChild

/** The URL of the bundler for TypeScript modules; '' where it is not installed. */
export const rolldown = bakedRolldown
