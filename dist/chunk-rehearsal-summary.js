import{a as p,c as f}from"./chunk-smoke-check-report.js";import{k as $,l as w}from"./chunk-migration-render.js";import{d as b}from"./chunk-release-deployment.js";import"./chunk-module-typespace.js";import{a as r,b as l,c as u,e as c,f as k}from"./chunk-markdown-table.js";import"./chunk-module-codec.js";import"./chunk-noble-hashes-2.js";import"./chunk-noble-hashes.js";import"./chunk-zod.js";import"./chunk-node-crypto.js";import"./chunk-runtime.js";function P(e){let{outcome:n,deployment:t}=e;if(n.kind==="nothing-to-rehearse")return`## \u2139\uFE0F No rehearsal

There is nothing to rehearse with: ${r(n.reason.replace(/\.$/,""))}. ${T}
`;let s=t!==void 0&&b(t.result);return`${k([`## ${j(e)}`,"reason"in n&&u(n.reason),n.kind==="not-rehearsed"&&`Nobody has asked for a rehearsal by name, so this is no failure. ${T}`,x(e),S(e),W(e.tables),t&&!s?C("The deploy on the server that was thrown away",w(t)):void 0,s&&t.judgement?$(t.judgement,{limit:2e4}):void 0,g(e.checksBefore,"The old module, before"),g(e.checks,"The new module"),v(e.wayBack),M(e.limits)])}
`}var T="What follows is a plain smoke test of the new module.";function j({outcome:e,deployment:n,old:t}){switch(e.kind){case"passed":return n?.result==="unchanged"?`\u2705 Rehearsed: ${t.kind==="live"?"the live module":"the module of the base branch"} is this one already`:"\u2705 Rehearsed: the migration works";case"cancelled":return`\u23F9\uFE0F The rehearsal was cancelled at: ${R[e.stage]}`;case"failed":return`\u274C The rehearsal failed at: ${R[e.stage]}`;default:return"\u2139\uFE0F It could not be rehearsed"}}var R={"old module":"setting up the old module",seed:"filling the database","checks before":"checking the old module",migration:"the migration",checks:"the checks of the new module","way back":"the way back"};function x({old:e,moduleHash:n,milliseconds:t}){let s=[["Old module",`${l(e.name)}${e.hash?`, ${l(e.hash)}`:""}`],["New module",l(n)],["Took",`${(t/1e3).toFixed(1)} s`]];return c(["Rehearsed",""],s)}function S({seed:e}){if(e.length===0)return;let n=e.map(({line:t,what:s,detail:i})=>[`${t}`,r(s),r(i)]);return`**Filled with**

${c(["Line","Entry","What came of it"],n,["r","l","l"])}`}var m=100;function W(e){let t=[["In production","production"],["Filled","filled"],["Migrated","migrated"],["Before the way back","leaving"],["Back","back"]].filter(([,a])=>e.some(({rows:o})=>o[a]!==void 0));if(t.length===0)return;let s=e.slice(0,m).map(({name:a,rows:o,copy:d})=>[l(a),...t.map(([,y])=>`${o[y]??"\u2013"}`),F(d)]),i=["Table",...t.map(([a])=>a),"Copied"],h=e.length>m?`

*And ${e.length-m} more tables.*`:"";return`**Rows**

${c(i,s,["l",...t.map(()=>"r"),"l"])}${h}`}function F(e){if(e===void 0)return"\u2013";if(e.kind==="not-copied")return`no: ${r(e.reason)}`;let n=e.isCut?", cut at the limit":"",t=e.masked.length>0?`, masked: ${e.masked.map(l).join(" ")}`:"";return`${e.rows}${n}${t}`}function g(e,n){if(e===void 0)return;let{passed:t,failed:s,skipped:i}=f(e),h=e.reports.flatMap(({check:o,outcome:d})=>d.kind==="failed"?`- ${r(o.name)}: expected ${r(d.expected)}, found ${r(d.actual)}`:d.kind==="not-run"?`- ${r(o.name)}: ${r(d.reason)}`:[]),a=h.length>0?`

${h.join(`
`)}`:"";return`**${n}:** ${t} checks passed, ${s} failed, ${i} skipped.${a}`}function v(e){switch(e?.kind){case void 0:return;case"gone-back":return`**The way back:** rehearsed. The old module was published again, ${f(e.checks).passed} checks passed, and the old module works with what the new one left${p(e.checks)?"":" as it did before: what fails had failed then too"}.`;case"impossible":return`**The way back:** there is none: ${r(e.reason)}.`;case"not-now":return`**The way back:** not with the rows that were there after the checks: ${r(e.reason)}.`;case"failed":return["**The way back:** it failed.",u(e.reason),g(e.checks,"The old module, back")].filter(n=>n!==void 0).join(`

`)}}function M(e){if(e.length!==0)return`**What this rehearsal did not show**

${e.map(n=>`- ${r(n)}`).join(`
`)}`}function C(e,n){return`<details open><summary>${e}</summary>

${n.replace(/^#/,"##").trimEnd()}

</details>`}export{P as renderRehearsal,R as stages};
