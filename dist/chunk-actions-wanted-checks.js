async function c({checks:n,inlineChecks:e,soak:t}){return n!==void 0||e!==void 0||t!==void 0?import("./chunk-actions-release-checks.js"):void 0}export{c as a};
