import{a as o}from"./chunk-runtime.js";var r=o((s,e)=>{e.exports=process.getBuiltinModule("node:buffer")});export{r as a};
