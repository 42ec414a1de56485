import{a,b}from"./chunk-github-artifacts-2.js";import"./chunk-github-within.js";import"./chunk-errors.js";import"./chunk-runtime.js";export{b as artifactName,a as gitHubArtifacts};
