import{a as e}from"./chunk-runtime.js";var s=e((l,o)=>{o.exports=process.getBuiltinModule("node:crypto")});var i=e((p,t)=>{t.exports=process.getBuiltinModule("node:util")});export{s as a,i as b};
