import{c as u}from"./chunk-action-annotations.js";import{a as d}from"./chunk-node-fs-promises.js";import{b as c}from"./chunk-errors.js";import{c as p}from"./chunk-runtime.js";var i=p(d(),1);function l(n,{limit:r,sizeOf:e,note:t}){let o=n.endsWith(`
`)?n:`${n}
`;if(e(o)<=r)return o;let s=r-e(`
${t}
`);return s<0?"":`${f(o.split(/(?<=\n)/),s,e)}
${t}
`}function f(n,r,e){let t={details:0},o=0,s={lines:0,closing:""};for(let[g,a]of n.entries()){if(t=y(t,a),o+=e(a),o>r)break;let m=k(t);t.fence?.isDiagram||o+e(m)>r||(s={lines:g+1,closing:m})}return n.slice(0,s.lines).join("")+s.closing}function y({fence:n,details:r},e){let[,t="",o=""]=/^\s*(`{3,}|~{3,})(.*)$/s.exec(e)??[];return n?t.startsWith(n.marks)&&o.trim()===""?{details:r}:{fence:n,details:r}:t!==""&&!(t.startsWith("`")&&o.includes("`"))?{fence:{marks:t,isDiagram:o.trim()==="mermaid"},details:r}:{details:Math.max(0,r+h(e))}}function h(n){return[...n.replace(/\\./g,"").replace(/(`+)[^`]+\1/g,"").matchAll(/<(\/?)details\b/gi)].reduce((e,[,t])=>e+(t?-1:1),0)}function k({fence:n,details:r}){return`${n?`${n.marks}
`:""}${`
</details>
`.repeat(r)}`}var b=1e6;async function _(n,r){let e=r.GITHUB_STEP_SUMMARY;if(e)try{let t=await(0,i.stat)(e).then(({size:s})=>s,()=>0),o=t===0?"":`
`;await(0,i.appendFile)(e,`${o}${$(n,b-t-o.length)}`)}catch(t){u("No job summary",`The summary could not be written: ${c(t)}`)}}function $(n,r){return l(n,{limit:r,sizeOf:Buffer.byteLength,note:w})}var w="_The rest was cut: a summary can hold no more._";export{l as a,_ as b};
