import{a as o}from"./chunk-runtime.js";var s=o((t,e)=>{e.exports=process.getBuiltinModule("node:events")});export{s as a};
