import{e as a}from"./chunk-fast-xml-builder-2.js";import"./chunk-runtime.js";export{a as default};
