import{p as w,v as b}from"./chunk-migration-render.js";import{d as $}from"./chunk-release-deployment.js";import{a as p,c as f}from"./chunk-smoke-check-report.js";import{a as s,b as l,c,e as u,f as k}from"./chunk-markdown-table.js";function L(e,{hasPlan:t=!0}={}){let{outcome:n,deployment:r}=e;if(n.kind==="nothing-to-rehearse")return`## \u2139\uFE0F No rehearsal

There is nothing to rehearse with: ${s(n.reason.replace(/\.$/,""))}. ${T}
`;let a=r!==void 0&&$(r.result);return`${k([`## ${j(e)}`,"reason"in n&&c(n.reason),n.kind==="not-rehearsed"&&`Nobody has asked for a rehearsal by name, so this is no failure. ${T}`,x(e),S(e),W(e.tables),r&&!a?C("The deploy on the server that was thrown away",b(r)):void 0,t&&a&&r.judgement?w(r.judgement,{limit:2e4}):void 0,g(e.checksBefore,"The old module, before"),g(e.checks,"The new module"),v(e.wayBack),M(e.limits)])}
`}var T="What follows is a plain smoke test of the new module.";function j({outcome:e,deployment:t,old:n}){switch(e.kind){case"passed":return t?.result==="unchanged"?`\u2705 Rehearsed: ${n.kind==="live"?"the live module":"the module of the base branch"} is this one already`:"\u2705 Rehearsed: the migration works";case"cancelled":return`\u23F9\uFE0F The rehearsal was cancelled at: ${R[e.stage]}`;case"failed":return`\u274C The rehearsal failed at: ${R[e.stage]}`;default:return"\u2139\uFE0F It could not be rehearsed"}}var R={"old module":"setting up the old module",seed:"filling the database","checks before":"checking the old module",migration:"the migration",checks:"the checks of the new module","way back":"the way back"};function x({old:e,moduleHash:t,milliseconds:n}){let r=[["Old module",`${l(e.name)}${e.hash?`, ${l(e.hash)}`:""}`],["New module",l(t)],["Took",`${(n/1e3).toFixed(1)} s`]];return u(["Rehearsed",""],r)}function S({seed:e}){if(e.length===0)return;let t=e.map(({line:n,what:r,detail:a})=>[`${n}`,s(r),s(a)]);return`**Filled with**

${u(["Line","Entry","What came of it"],t,["r","l","l"])}`}var m=100;function W(e){let n=[["In production","production"],["Filled","filled"],["Migrated","migrated"],["Before the way back","leaving"],["Back","back"]].filter(([,d])=>e.some(({rows:i})=>i[d]!==void 0));if(n.length===0)return;let r=e.slice(0,m).map(({name:d,rows:i,copy:o})=>[l(d),...n.map(([,y])=>`${i[y]??"\u2013"}`),F(o)]),a=["Table",...n.map(([d])=>d),"Copied"],h=e.length>m?`

*And ${e.length-m} more tables.*`:"";return`**Rows**

${u(a,r,["l",...n.map(()=>"r"),"l"])}${h}`}function F(e){if(e===void 0)return"\u2013";if(e.kind==="not-copied")return`no: ${s(e.reason)}`;let t=e.isCut?", cut at the limit":"",n=e.masked.length>0?`, masked: ${e.masked.map(l).join(" ")}`:"";return`${e.rows}${t}${n}`}function g(e,t){if(e===void 0)return;let{passed:n,failed:r,skipped:a}=f(e),h=e.reports.flatMap(({check:i,outcome:o})=>o.kind==="failed"?`- ${s(i.name)}: expected ${s(o.expected)}, found ${s(o.actual)}`:o.kind==="not-run"?`- ${s(i.name)}: ${s(o.reason)}`:[]),d=h.length>0?`

${h.join(`
`)}`:"";return`**${t}:** ${n} checks passed, ${r} failed, ${a} skipped.${d}`}function v(e){switch(e?.kind){case void 0:return;case"gone-back":return`**The way back:** rehearsed. The old module was published again, ${f(e.checks).passed} checks passed, and the old module works with what the new one left${p(e.checks)?"":" as it did before: what fails had failed then too"}.`;case"impossible":return`**The way back:** there is none: ${s(e.reason)}.`;case"not-now":return`**The way back:** not with the rows that were there after the checks: ${s(e.reason)}.`;case"failed":return["**The way back:** it failed.",c(e.reason),g(e.checks,"The old module, back")].filter(t=>t!==void 0).join(`

`)}}function M(e){if(e.length!==0)return`**What this rehearsal did not show**

${e.map(t=>`- ${s(t)}`).join(`
`)}`}function C(e,t){return`<details open><summary>${e}</summary>

${t.replace(/^#/,"##").trimEnd()}

</details>`}export{L as a,R as b};
