import{a,b,c,d}from"./chunk-image-oci-reference-2.js";import"./chunk-errors.js";import"./chunk-runtime.js";export{b as formatReference,c as insistOnTag,d as isDigest,a as parseReference};
