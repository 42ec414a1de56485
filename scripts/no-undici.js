/** Stands in for undici in the bundle (bundle.ts, `leaveOutUndici`). */
export const ProxyAgent = undefined
