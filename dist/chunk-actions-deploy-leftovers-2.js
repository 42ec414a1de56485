import{c as r}from"./chunk-setup-local-server.js";import{a as e}from"./chunk-action-state.js";var f=e("rehearsal",r);export{f as a};
