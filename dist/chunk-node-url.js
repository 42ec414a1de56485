import{a as o}from"./chunk-runtime.js";var l=o((r,e)=>{e.exports=process.getBuiltinModule("node:url")});export{l as a};
